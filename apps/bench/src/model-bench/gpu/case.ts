import { type Case, type Figure, ratio, type Rows } from '../../race/case.js';
import { gpuDecode } from './contender.js';
import type { Generators } from './generators.js';

const UNCUT = { implementation: 'transformers.js' } as const;
const OURS = {
  'dense adopted': { implementation: 'jit-attention', strategy: 'dense' },
  'top-k pages': { implementation: 'jit-attention', strategy: 'topk' },
} as const;
const WHERE = 'transformers.js on WebGPU';

export interface GpuCase {
  readonly generators: Generators;
  /** Tokens, ascending. */
  readonly contexts: readonly number[];
  /** What the uncut model writes in Node after so many tokens. */
  readonly expected: (tokens: number) => Promise<readonly number[]>;
}

/** A token of transformers.js on the GPU, the cache staying there, beside the same model uncut. */
export function gpuCase({ generators, contexts, expected }: GpuCase): Case {
  return {
    name: 'gpu-decode',
    title: `A token, with so many before it, in ${WHERE}`,
    contenders: contexts.flatMap((tokens) =>
      (['uncut', 'dense', 'topk'] as const).map((host) =>
        gpuDecode(generators, host, { tokens, expected: () => expected(tokens) }),
      ),
    ),
    figures: (rows) => [
      ...contexts.flatMap((tokens) => againstUncut(rows, tokens)),
      ...growths(rows, contexts),
    ],
  };
}

/** Without targets: what runs it may be an adapter of software. */
function againstUncut(rows: Rows, tokens: number): Figure[] {
  return Object.entries(OURS).map(([who, facts]) => ({
    what: `a token after ${tokens}, ${WHERE}: ${who} over uncut, time`,
    value: ratio(rows.ms({ ...facts, tokens }), rows.ms({ ...UNCUT, tokens })),
    unit: 'factor',
  }));
}

/** From the shortest context to the longest. */
function growths(rows: Rows, contexts: readonly number[]): Figure[] {
  const [first, last] = [contexts[0], contexts.at(-1)!];
  if (first === last) return [];
  return Object.entries({ ...OURS, uncut: UNCUT }).map(([who, facts]) => ({
    what: `a token after ${last} over one after ${first}, ${WHERE}: ${who}`,
    value: ratio(rows.ms({ ...facts, tokens: last }), rows.ms({ ...facts, tokens: first })),
    unit: 'factor',
  }));
}
