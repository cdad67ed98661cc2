import {
  all,
  type AttendRequest,
  type Backend,
  entriesOf,
  fromQuery,
  reference,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { cpu } from '../src/index.js';

/** Values that a query does not see may be anything. */
describe.each([1, 4])('hidden values, %i heads on one', (heads) => {
  const tokens = 40;
  const width = 16;
  const wave = (size: number, step: number): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));
  /** Values of which token 20 on, and 30 on, are not as others. */
  const valuesWith = (twenty: number, thirty: number): Float32Array => {
    const values = wave(tokens * width, 0.3);
    values.fill(twenty, 20 * width, 20 * width + 3);
    values.fill(thirty, 30 * width, 31 * width);
    return values;
  };

  const run = (backend: Backend, values: Float32Array): Promise<Float32Array> => {
    const request: AttendRequest = {
      query: backend.tensor(wave(heads * tokens * width, 0.7), {
        shape: [1, heads, tokens, width],
      }),
      keys: entriesOf(backend.tensor(wave(tokens * width, 0.11), { shape: [1, 1, tokens, width] })),
      values: entriesOf(backend.tensor(values, { shape: [1, 1, tokens, width] })),
      valueDim: width,
      selection: all,
      visible: fromQuery(1),
      positions: { first: [0], counts: [tokens], tokens },
      scale: 0.25,
    };
    return backend.attend(request).output.data();
  };

  it.each([
    [Infinity, NaN],
    [1e38, 1e38], // A weight as small as a normal number can be would be seen here.
  ])('are never touched: %d and %d', async (twenty, thirty) => {
    const values = valuesWith(twenty, thirty);
    const backend = await cpu({ threads: 1 });
    const actual = await run(backend, values);
    const expected = await run(reference(), values);
    expected.forEach((value, i) => {
      if (Math.abs(value) < 1e3) expect(actual[i], `element ${i}`).toBeCloseTo(value, 4);
      else if (Number.isFinite(value)) expect(actual[i] / value, `element ${i}`).toBeCloseTo(1, 4);
      else expect(actual[i], `element ${i}`).toBe(value);
    });
    await backend.dispose?.();
  });
});
