import { basename } from 'node:path';

/**
 * Names of strategies, in lower case. `dense`, and `topk`, `topp`, `threshold` as picks of `select`,
 * are words of the interface and allowed.
 */
const strategies = new Set([
  'windowed',
  'streamingllm',
  'quest',
  'twilight',
  'lightning',
  'nsa',
  'csa',
  'hca',
  'dsa',
  'csa2',
  'xattention',
  'minference',
  'loki',
  'indexcache',
  'adaptive',
]);

/**
 * Finds the names of strategies in a text: as words, inside camelCase, kebab-case and snake_case,
 * and in the plural.
 *
 * @param {string} text
 * @returns {{ name: string, index: number }[]}
 */
export function findStrategyNames(text) {
  // an escape such as `\n` is no letter of the word that follows it; same length, so indices hold
  const plain = text.replace(/\\[bfnrtv0]/g, '  ');
  const found = [];
  for (const run of plain.matchAll(/[A-Za-z][A-Za-z0-9_-]*/g)) {
    const parts = [...run[0].matchAll(/[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[A-Z]+|[0-9]+/g)];
    let next = 0; // the first part that no name found so far has used
    for (let start = 0; start < parts.length; start++) {
      if (start < next) continue;
      // the longest name first, so that a name with a number is not taken for the one without
      for (let end = parts.length; end > start; end--) {
        const word = parts
          .slice(start, end)
          .map((part) => part[0].toLowerCase())
          .join('');
        const name = [word, word.replace(/s$/, '')].find((candidate) => strategies.has(candidate));
        if (name === undefined) continue;
        found.push({ name, index: run.index + parts[start].index });
        next = end;
        break;
      }
    }
  }
  return found;
}

/**
 * Refuses the names of strategies anywhere in a file: identifiers, property names, strings,
 * templates, comments, and the file's own name. Core and the backends know plans, not strategies;
 * a special case for one strategy would start with its name.
 *
 * @type {import('eslint').Rule.RuleModule}
 */
export const strategyNames = {
  meta: {
    type: 'problem',
    schema: [],
    docs: { description: 'core and backends do not know strategies by name' },
    messages: {
      name: "'{{ name }}' is the name of a strategy: core and backends say what is done (a plan, a score, a pick), not for whom.",
    },
  },
  create(context) {
    return {
      Program(program) {
        for (const { name } of findStrategyNames(basename(context.filename))) {
          context.report({ node: program, messageId: 'name', data: { name } });
        }
        const { sourceCode } = context;
        for (const { name, index } of findStrategyNames(sourceCode.text)) {
          const start = sourceCode.getLocFromIndex(index);
          const end = sourceCode.getLocFromIndex(index + name.length);
          context.report({ loc: { start, end }, messageId: 'name', data: { name } });
        }
      },
    };
  },
};
