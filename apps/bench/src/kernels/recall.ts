import { cpu } from '@jit-attention/backend-cpu';
import {
  audit,
  type AttentionStrategy,
  type Backend,
  createAttention,
  type Stats,
} from '@jit-attention/core';
import { modelDirectory } from '@jit-attention/reference-model';
import { topk } from '@jit-attention/strategy-topk';
import { mean, min, sum } from 'simple-statistics';

import { SHARING } from '../candidates/built-in.js';
import { type AttentionData, captureAttention } from '../model/index.js';
import type { Case } from '../race/case.js';
import type { Contender, Counts, Runner } from '../race/contender.js';

/** What sharing a selection costs in recall, on the reference model: the price of the speed of `topk`. */
export function sharedRecall(scale: number): Case {
  const tokens = 4096 / scale;
  const budget = Math.max(192, 1024 / scale);
  const read = lazy(() => captureAttention({ directory: modelDirectory, tokens }));
  return {
    name: 'recall',
    title: `Recall of shared selections: the reference model, ${tokens} tokens, budget ${budget}`,
    contenders: [1, SHARING].map((queryBlock) => audited({ tokens, budget, queryBlock, read })),
    figures(rows) {
      const [own, shared] = [1, SHARING].map(
        (block) =>
          rows.find({ case: `recall queryBlock ${block}` })?.metrics.recallMean ?? undefined,
      );
      return [
        {
          what: `mean recall lost by queryBlock ${SHARING}`,
          value: own === undefined || shared === undefined ? undefined : own - shared,
          unit: 'number',
          atMost: 0.02,
        },
      ];
    },
  };
}

interface Audited {
  readonly tokens: number;
  readonly budget: number;
  readonly queryBlock: number;
  readonly read: () => Promise<AttentionData>;
}

function audited({ tokens, budget, queryBlock, read }: Audited): Contender {
  return {
    facts: {
      implementation: 'jit-attention',
      strategy: 'topk',
      ...{ backend: 'cpu', threads: 1, tokens, queries: tokens, heads: 4, kvHeads: 2, headDim: 64 },
      budget,
    },
    variant: `queryBlock ${queryBlock}`,
    async start(): Promise<Runner> {
      const data = await read();
      const backend = await cpu({ threads: 1 });
      const strategy = audit(topk({ budget, queryBlock }), { sample: 1 });
      const counts = (): Promise<Counts> => countLayers(backend, strategy, data);
      return {
        run: () => Promise.resolve({ ms: undefined, counts }),
        dispose: () => backend.dispose?.(),
      };
    },
  };
}

/** Means over the layers; the 5th percentile is that of the layer that is served worst. */
async function countLayers(
  backend: Backend,
  strategy: AttentionStrategy,
  { config, layers }: AttentionData,
): Promise<Counts> {
  const { heads, kvHeads, headDim, valueDim, scale } = config;
  const sizes = { heads, kvHeads, headDim, valueDim, scale };
  const attention = createAttention({ backend, strategy, ...sizes });
  const stats: Stats[] = [];
  for (const { query, key, value } of layers) {
    const result = await attention.run({ query, key, value });
    stats.push(await result.stats());
    result.dispose();
  }
  return {
    density: mean(stats.map(({ density }) => density)),
    bytesRead: sum(stats.map(({ bytesRead }) => bytesRead)),
    recallMean: mean(stats.map(({ recall }) => recall!.mean)),
    recallP5: min(stats.map(({ recall }) => recall!.p5)),
  };
}

/** Made when it is asked for, once. */
function lazy<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined;
  return () => (made ??= make());
}
