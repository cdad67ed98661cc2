import { dependencyDirection } from './dependency-direction.js';
import { strategyNames } from './strategy-names.js';

/**
 * The rules that hold the architecture of this workspace.
 *
 * @type {import('eslint').ESLint.Plugin}
 */
export const workspace = {
  meta: { name: 'workspace' },
  rules: {
    'dependency-direction': dependencyDirection,
    'strategy-names': strategyNames,
  },
};
