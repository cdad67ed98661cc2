import fc from 'fast-check';

import { type HostArray, sizeOf } from '../../src/array.js';
import { normals, uniform } from '../../src/random.js';
import { normal, type Operation, operation, seeds, upTo, widths } from './support.js';

const sizes = fc.record({
  batch: upTo(3),
  heads: upTo(4),
  tokens: fc.oneof(upTo(9), upTo(300)),
  width: widths,
  parts: upTo(4),
  seed: seeds,
});

/** Log-sum-exps: of parts that see nothing, of ordinary ones, and far apart. */
function logs(shape: readonly number[], seed: number, spread: number): HostArray {
  const next = uniform(seed, 'logs');
  const data = normals(sizeOf(shape), next).map((x) => (next() < 0.2 ? -Infinity : x * spread));
  return { shape, data };
}

export const MERGE: readonly Operation[] = [
  operation(
    'merge',
    fc.record({
      sizes,
      spread: fc.constantFrom(1, 10, 1000),
      how: fc.constantFrom('softmax', 'sinks', 'gates'),
    }),
    (bench, { sizes: { batch, heads, tokens, width, parts, seed }, spread, how }) => {
      const shape = [batch, heads, tokens];
      const list = Array.from({ length: parts }, (_, i) => ({
        output: normal(bench, [...shape, width], seed + i),
        logSumExp: bench.tensor(logs(shape, seed + 10 + i, spread)),
      })) as unknown as Parameters<typeof bench.backend.merge>[0];
      const gates = how === 'gates' ? normal(bench, [...shape, parts], seed + 20) : undefined;
      const sinkLogits = how === 'sinks' ? normal(bench, [heads], seed + 21) : undefined;
      const { output, logSumExp } = bench.backend.merge(list, { gates, sinkLogits });
      return { output, logSumExp };
    },
  ),
];
