import { all, type AttendRequest, entriesOf, fromQuery, reference } from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { cpu } from '../src/index.js';

/** Values that a query does not see may be anything. */
describe.each([1, 4])('hidden values, %i heads on one', (heads) => {
  const tokens = 40;
  const width = 16;
  const wave = (size: number, step: number): Float32Array =>
    Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));
  const values = wave(tokens * width, 0.3);
  values.fill(Infinity, 20 * width, 20 * width + 3);
  values.fill(NaN, 30 * width, 31 * width);

  const run = (backend: Awaited<ReturnType<typeof cpu>>): Promise<Float32Array> => {
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

  it('are never touched', async () => {
    const backend = await cpu({ threads: 1 });
    const actual = await run(backend);
    const expected = await run(reference());
    expected.forEach((value, i) => {
      if (Number.isFinite(value)) expect(actual[i], `element ${i}`).toBeCloseTo(value, 4);
      else expect(actual[i], `element ${i}`).toBe(value);
    });
    await backend.dispose?.();
  });
});
