import fc from 'fast-check';

import { seeds, upTo, widths } from './support/arbitraries.js';
import { normals, sizeOf, uniform } from './support/numbers.js';
import { operation } from './support/operation.js';

const sizes = fc.record({
  batch: upTo(3),
  heads: upTo(4),
  tokens: fc.oneof(upTo(9), upTo(300)),
  width: widths,
  parts: upTo(4),
  seed: seeds,
});

/** Log-sum-exps: of parts that see nothing, of ordinary ones, and far apart. */
function logs(shape: readonly number[], seed: number, spread: number): Float32Array {
  const next = uniform(seed);
  return normals(sizeOf(shape), seed).map((x) => (next() < 0.2 ? -Infinity : x * spread));
}

operation(
  'merge',
  fc.record({
    sizes,
    spread: fc.constantFrom(1, 10, 1000),
    how: fc.constantFrom('softmax', 'sinks', 'gates'),
  }),
  (table, { sizes: { batch, heads, tokens, width, parts, seed }, spread, how }) => {
    const shape = [batch, heads, tokens];
    const list = Array.from({ length: parts }, (_, i) => ({
      output: table.normal([...shape, width], seed + i),
      logSumExp: table.floats(logs(shape, seed + 10 + i, spread), shape),
    })) as unknown as Parameters<typeof table.backend.merge>[0];
    const gates = how === 'gates' ? table.normal([...shape, parts], seed + 20) : undefined;
    const sinkLogits = how === 'sinks' ? table.normal([heads], seed + 21) : undefined;
    const { output, logSumExp } = table.backend.merge(list, { gates, sinkLogits });
    return { output, logSumExp };
  },
);
