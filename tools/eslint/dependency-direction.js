import { posix, relative, sep } from 'node:path';

import { allowed, locate, scope } from './layers.js';

/**
 * Refuses an import of ours that points the wrong way, and a relative import that leaves its own
 * package. The table is in layers.js.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const dependencyDirection = {
  meta: {
    type: 'problem',
    schema: [],
    docs: { description: 'apps -> (strategies, backends) -> core' },
    messages: {
      direction:
        '{{ from }} may not import {{ to }}: of our packages it may import {{ allowed }} (tools/eslint/layers.js).',
      outside: "'{{ specifier }}' leaves {{ root }}: import the other package by its name.",
    },
  },
  create(context) {
    const path = relative(context.cwd, context.filename).split(sep).join('/');
    const here = locate(path);
    if (!here) return {};
    const names = allowed(here.kind, here.folder, here.test);

    /** @param {any} node the node that names the module, if any; an ESTree or a TypeScript one */
    function check(node) {
      if (node?.type !== 'Literal' || typeof node.value !== 'string' || !here) return;
      const specifier = node.value;
      if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(path), specifier);
        if (target !== here.root && !target.startsWith(`${here.root}/`)) {
          context.report({ node, messageId: 'outside', data: { specifier, root: here.root } });
        }
      } else if (specifier.startsWith(scope) && names) {
        const name = specifier.slice(scope.length).split('/')[0];
        if (!names.includes(name)) {
          const data = {
            from: path,
            to: scope + name,
            allowed: names.length > 0 ? names.join(', ') : 'none',
          };
          context.report({ node, messageId: 'direction', data });
        }
      }
    }

    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      // `import('x').Type` and `import x = require('x')`, which only TypeScript has
      TSImportType: (/** @type {any} */ node) => check(node.source),
      TSExternalModuleReference: (/** @type {any} */ node) => check(node.expression),
      CallExpression: (node) => {
        if (node.callee.type === 'Identifier' && node.callee.name === 'require') {
          check(node.arguments[0]);
        }
      },
    };
  },
};
