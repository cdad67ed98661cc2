import { inputError } from '@jit-attention/core';
import type { Feed, Feeds, RuntimeFeeds } from '@jit-attention/onnx';

/**
 * transformers.js pads a batch on the left, so that all texts end in the same column, and keeps the padding in the
 * cache. Ours keeps tokens alone, so that texts of unequal length are rows of unequal length: what is padding is left
 * out of a step, what is left moves to the front.
 *
 * Letters: B batch rows, T columns of a step, N columns so far.
 */
export interface Columns {
  /** N, padding included: the length that transformers.js sees. */
  readonly count: number;
  /** For each row, which columns are padding: `[start, end)`, in order. */
  readonly padding: readonly (readonly (readonly [start: number, end: number])[])[];
}

export const noColumns = (batch: number): Columns => ({
  count: 0,
  padding: Array.from({ length: batch }, () => []),
});

/** Tokens of a row: its columns without the padding. */
export function tokensOf({ count, padding }: Columns, row: number): number {
  return padding[row].reduce((left, [start, end]) => left - (end - start), count);
}

/** The first `count` columns. */
export function firstColumns({ padding }: Columns, count: number): Columns {
  const cut = padding.map((row) =>
    row
      .filter(([start]) => start < count)
      .map(([start, end]) => [start, Math.min(end, count)] as const),
  );
  return { count, padding: cut };
}

/**
 * The columns after a step of T: the attention mask `[B, N + T]` says which hold tokens. Without a mask all do.
 *
 * @throws {InputError} `INVALID_SHAPE`; `UNSUPPORTED` for padding anywhere but in front of a step's tokens, and for a
 *   mask that takes back what an earlier one said
 */
export function addColumns(past: Columns, tokens: number, mask: Feed | undefined): Columns {
  const count = past.count + tokens;
  if (mask === undefined) return { ...past, count };
  const batch = past.padding.length;
  assertMask(mask, [batch, count]);
  const padding = past.padding.map((before, row) => {
    const hidden = runsOfZeros(mask.data as ArrayLike<number | bigint>, row * count, count);
    assertSamePast(hidden, before, past.count, row);
    const added = hidden.filter(([, end]) => end > past.count);
    assertInFront(added, past.count, count, row);
    return [...before, ...added.map(([start, end]) => [Math.max(start, past.count), end] as const)];
  });
  return { count, padding };
}

type Runs = readonly (readonly [start: number, end: number])[];

/** Where a row of `count` numbers is zero. */
function runsOfZeros(data: ArrayLike<number | bigint>, from: number, count: number): Runs {
  const runs: [number, number][] = [];
  for (let i = 0; i < count; i++) {
    if (data[from + i]) continue;
    const last = runs.at(-1);
    if (last?.[1] === i) last[1]++;
    else runs.push([i, i + 1]);
  }
  return runs;
}

function assertMask({ dims }: Feed, expected: readonly number[]): void {
  if (dims.length === 2 && dims.every((size, axis) => size === expected[axis])) return;
  const shape = `attention_mask [${expected.join(', ')}], a column for each token of cache and input`;
  throw inputError('generate', shape, dims, { code: 'INVALID_SHAPE' });
}

function assertSamePast(hidden: Runs, before: Runs, count: number, row: number): void {
  const now = hidden
    .filter(([start]) => start < count)
    .map(([start, end]) => [start, Math.min(end, count)]);
  const joined = melt(before);
  if (String(now) === String(joined)) return;
  throw inputError(
    'generate',
    `an attention_mask that hides of the cache what it hid before, ${show(joined)} in row ${row}`,
    show(now),
    { code: 'UNSUPPORTED', hint: 'entries that are in the cache cannot be hidden or shown later' },
  );
}

/** Runs that touch (the padding of one step ends where the next one's begins) are one. */
function melt(runs: Runs): Runs {
  const melted: [number, number][] = [];
  for (const [start, end] of runs) {
    const last = melted.at(-1);
    if (last?.[1] === start) last[1] = end;
    else melted.push([start, end]);
  }
  return melted;
}

const show = (runs: readonly (readonly number[])[]): string =>
  runs.length === 0 ? 'nothing' : runs.map(([start, end]) => `[${start}, ${end})`).join(', ');

function assertInFront(added: Runs, first: number, count: number, row: number): void {
  const [run] = added;
  if (added.length === 0) return;
  if (added.length === 1 && run[0] <= first && run[1] < count) return;
  throw inputError(
    'generate',
    `padding in front of the tokens only, row ${row} of attention_mask`,
    `zeros at ${show(added)} of the columns from ${first} to ${count}`,
    { code: 'UNSUPPORTED', hint: "pad on the left: tokenizer.padding_side = 'left'" },
  );
}

/**
 * The feeds of a step without the padding, which is on the right now: of every `[B, T, …]`.
 *
 * @param counts tokens that each row has in this step
 */
export function shiftLeft(feeds: RuntimeFeeds, tokens: number, counts: readonly number[]): Feeds {
  return Object.fromEntries(
    Object.entries(feeds).map(([name, feed]) => {
      const { dims } = feed;
      const isRagged = dims[0] === counts.length && dims[1] === tokens;
      return [name, isRagged ? { dims, data: shiftRows(feed, tokens, counts) } : feed];
    }),
  );
}

interface Numbers extends ArrayLike<unknown> {
  slice(): Numbers;
  copyWithin(target: number, start: number, end: number): unknown;
}

function shiftRows({ dims, data }: Feed, tokens: number, counts: readonly number[]): Numbers {
  const width = dims.slice(2).reduce((product, size) => product * size, 1);
  const shifted = (data as Numbers).slice();
  counts.forEach((count, row) => {
    const [start, end] = [row * tokens * width, (row + 1) * tokens * width];
    shifted.copyWithin(start, end - count * width, end);
  });
  return shifted;
}
