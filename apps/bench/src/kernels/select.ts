import { cpu } from '@jit-attention/backend-cpu';
import { entriesOf, type SelectRequest, topk } from '@jit-attention/core';

import type { Case } from '../race/case.js';
import type { Contender, Runner } from '../race/contender.js';
import { noise } from '../race/shape.js';

/** Channels of what is scored: one vector, so that nearly all the time is picking. */
const WIDTH = 4;

export function selectTokens(scale: number): Case {
  const tokens = 131_072 / scale;
  const k = 2048 / scale;
  return {
    name: 'select',
    title: `Selecting the best ${k} of ${tokens}, scores of ${WIDTH} channels included`,
    contenders: [select(tokens, k)],
    figures: (rows) => [
      {
        what: 'selecting 2,048 of 131,072 scores',
        value: rows.ms({ strategy: 'topk' }),
        unit: 'ms',
        atMost: 0.4,
      },
    ],
  };
}

/** The primitive alone: one query, one head. */
function select(tokens: number, k: number): Contender {
  return {
    facts: {
      implementation: 'jit-attention',
      strategy: 'topk',
      ...{ backend: 'cpu', threads: 1, tokens, queries: 1, heads: 1, kvHeads: 1, headDim: WIDTH },
      budget: k,
    },
    start: () => startSelect(tokens, k),
  };
}

async function startSelect(tokens: number, k: number): Promise<Runner> {
  const backend = await cpu({ threads: 1 });
  const over = entriesOf(
    backend.tensor(noise(tokens * WIDTH, 1), { shape: [1, 1, tokens, WIDTH] }),
  );
  const query = backend.tensor(noise(WIDTH, 2), { shape: [1, 1, 1, WIDTH] });
  const request: SelectRequest = {
    score: { kind: 'dot', query, keys: over, scale: 1 },
    over,
    positions: { first: [tokens - 1], counts: [1], tokens: 1 },
    pick: topk(k),
  };
  return {
    run() {
      const before = performance.now();
      const { ids, counts } = backend.select(request);
      const ms = performance.now() - before;
      const dispose = (): void => [ids, counts].forEach((tensor) => tensor.dispose());
      return Promise.resolve({ ms, dispose });
    },
    dispose: () => backend.dispose?.(),
  };
}
