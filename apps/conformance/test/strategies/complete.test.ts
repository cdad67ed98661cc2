import { readdirSync } from 'node:fs';
import { join } from 'node:path';

import { expect, it } from 'vitest';

import { STRATEGIES } from '../../src/strategies.js';

it('no strategy package is left out', () => {
  const packages = readdirSync(join(import.meta.dirname, '../../../../packages'));
  const strategies = packages.filter((folder) => folder.startsWith('strategy-'));
  expect(Object.keys(STRATEGIES).sort()).toEqual(strategies.sort());
});
