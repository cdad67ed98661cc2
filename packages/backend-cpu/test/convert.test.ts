import { f16round } from '@petamoriken/float16';
import { reference } from '@jit-attention/core';
import { assertClose, assertSame } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { CONFIGURATIONS, named, onCpu } from './support/backends.js';
import { uniform } from './support/numbers.js';

/** Every half float, and f32 numbers around and between them: ties, denormals, overflow, Inf, NaN. */
function numbers(): Float32Array {
  const next = uniform(1);
  const words: number[] = [];
  for (let exponent = 0; exponent < 256; exponent++) {
    for (const mantissa of [
      0, 1, 0xfff, 0x1000, 0x1001, 0x1fff, 0x3000, 0x7fefff, 0x7ff000, 0x7fffff,
    ])
      words.push((exponent << 23) | mantissa, ((exponent << 23) | mantissa) ^ (1 << 31));
  }
  for (let i = 0; i < 200_000; i++) words.push(Math.floor(next() * 2 ** 32) | 0);
  // Halves themselves lie in exponents 103 to 143.
  for (let i = 0; i < 200_000; i++) words.push(Math.floor((102 + 42 * next()) * 2 ** 23) | 0);
  return new Float32Array(Int32Array.from(words).buffer);
}

describe.each(CONFIGURATIONS.map((options) => [named(options), options] as const))(
  '%s',
  (_, options) => {
    it('rounds to f16 as IEEE 754 does, whatever the number', () =>
      onCpu(options, async (backend) => {
        const all = numbers();
        for (const width of [1, 7, all.length]) {
          const rows = Math.floor(all.length / width);
          const data = all.subarray(0, rows * width);
          const tensor = backend.tensor(data, { shape: [rows, width], dtype: 'f16' });
          assertSame(`width ${width}`, await tensor.data(), data.map(f16round));
        }
      }));

    it('keeps i8 rows of zeros, of one number, with Inf and with NaN as the reference does', () =>
      onCpu(options, async (backend) => {
        const rows = [
          [0, 0, 0],
          [5, 5, -5],
          [1, Infinity, -1],
          [1, NaN, 0],
          [1e-44, 0, -1e-44],
        ];
        const shape = [rows.length, 3];
        const data = Float32Array.from(rows.flat());
        const found = await backend.tensor(data, { shape, dtype: 'i8' }).data();
        const right = reference().tensor(data, { shape, dtype: 'i8' });
        assertClose('rows', found, await right.data(), { tolerance: 1e-6, shape });
      }));
  },
);
