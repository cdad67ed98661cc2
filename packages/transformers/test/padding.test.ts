import { holds } from '@jit-attention/testkit';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import {
  addColumns,
  type Columns,
  firstColumns,
  noColumns,
  shiftLeft,
  tokensOf,
} from '../src/padding.js';
import { failure } from './support/failure.js';

/** Steps of a batch: for each row how many of the step's columns, the leading ones, are padding. */
const steps = fc.integer({ min: 1, max: 3 }).chain((batch) =>
  fc.array(
    fc.integer({ min: 1, max: 5 }).chain((tokens) =>
      fc.record({
        tokens: fc.constant(tokens),
        pads: fc.array(fc.integer({ min: 0, max: tokens - 1 }), {
          minLength: batch,
          maxLength: batch,
        }),
      }),
    ),
    { minLength: 1, maxLength: 5 },
  ),
);

const maskOf = (rows: readonly (readonly number[])[]) => ({
  dims: [rows.length, rows[0].length],
  data: BigInt64Array.from(rows.flat(), BigInt),
});

const sizes = (columns: Columns) => columns.padding.map((_, row) => tokensOf(columns, row));

describe('padding on the left', () => {
  it('leaves each row its tokens, in order, whatever is padded in whichever step', () =>
    holds([steps], (steps) => {
      const mask: number[][] = steps[0].pads.map(() => []);
      let columns = noColumns(mask.length);
      let id = 1;
      for (const { tokens, pads } of steps) {
        const ids = pads.map((pad) =>
          Array.from({ length: tokens }, (_, i) => (i < pad ? -1 : id++)),
        );
        ids.forEach((row, b) => mask[b].push(...row.map((one) => (one < 0 ? 0 : 1))));
        const next = addColumns(columns, tokens, maskOf(mask));
        const counts = sizes(next).map((size, row) => size - sizes(columns)[row]);
        expect(counts).toEqual(pads.map((pad) => tokens - pad));

        const feed = {
          type: 'int64',
          dims: [ids.length, tokens],
          data: Int32Array.from(ids.flat()),
        };
        const { x } = shiftLeft({ x: { ...feed, dispose: () => undefined } }, tokens, counts);
        counts.forEach((count, row) => {
          const start = row * tokens;
          const kept = [...(x.data as Int32Array).subarray(start, start + count)];
          expect(kept).toEqual(ids[row].filter((one) => one > 0));
        });
        columns = next;
      }
      for (let count = 0; count <= columns.count; count++) {
        const ones = mask.map((row) => row.slice(0, count).filter((one) => one === 1).length);
        expect(sizes(firstColumns(columns, count))).toEqual(ones);
      }
      return Promise.resolve();
    }));

  it('moves rows of any width', () => {
    const dims = [2, 2, 3];
    const feed = {
      type: 'float32',
      dims,
      data: Float32Array.of(9, 9, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    };
    const { x } = shiftLeft({ x: { ...feed, dispose: () => undefined } }, 2, [1, 2]);
    expect([...(x.data as Float32Array)].slice(0, 3)).toEqual([1, 2, 3]);
    expect([...(x.data as Float32Array)].slice(6)).toEqual([4, 5, 6, 7, 8, 9]);
    expect(feed.data[0]).toBe(9);
  });

  it('needs no mask', () => {
    expect(sizes(addColumns(noColumns(2), 5, undefined))).toEqual([5, 5]);
  });

  const before = addColumns(noColumns(1), 3, maskOf([[0, 1, 1]]));
  it.each([
    [[[1, 1, 1, 1]], 'hides of the cache what it hid before, [0, 1) in row 0, got nothing'],
    [[[0, 0, 1, 1]], 'hides of the cache what it hid before, [0, 1) in row 0, got [0, 2)'],
    [[[0, 1, 1, 0]], 'row 0 of attention_mask, got zeros at [3, 4) of the columns from 3 to 4'],
    [
      [[0, 1, 1, 1, 0, 1]],
      'row 0 of attention_mask, got zeros at [4, 5) of the columns from 3 to 6',
    ],
  ])('%j after [0, 1, 1] is refused', (rows, message) => {
    expect(() => addColumns(before, rows[0].length - 3, maskOf(rows))).toThrow(
      failure('UNSUPPORTED', message),
    );
  });

  it('refuses a mask of other sizes', () => {
    expect(() => addColumns(before, 2, maskOf([[0, 1, 1, 1]]))).toThrow(
      failure('INVALID_SHAPE', 'attention_mask [1, 5]'),
    );
  });
});
