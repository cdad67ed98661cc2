import {
  all,
  type AttendRequest,
  type Backend,
  type BlocksSelection,
  type DType,
  type Entries,
  fromQuery,
  reference,
  type Selection,
  type TokensSelection,
} from '@jit-attention/core';
import { expect } from 'vitest';

/** Beyond testkit's contexts of some forty entries: what makes other kernels, or several, of a call. */
export interface Case {
  readonly heads: number;
  readonly kvHeads: number;
  readonly tokens: number;
  readonly entries: number;
  readonly width: number;
  readonly pageSize: number;
  /** Of keys and values. Default f32. */
  readonly dtype?: Exclude<DType, 'i32'> | undefined;
  readonly selection: (backend: Backend) => Selection;
}

export const BASE: Case = {
  ...{ heads: 2, kvHeads: 1, tokens: 1, entries: 1500, width: 16, pageSize: 64 },
  selection: () => all,
};

export const wave = (size: number, step: number): Float32Array =>
  Float32Array.from({ length: size }, (_, i) => Math.sin(i * step));

/** Pages in reverse order. */
export function entriesOf(
  backend: Backend,
  { kvHeads, entries, width, pageSize, dtype }: Case,
  step: number,
): Entries {
  const pages = Math.ceil(entries / pageSize);
  const shape = [pages, kvHeads, pageSize, width];
  const data = wave(pages * kvHeads * pageSize * width, step);
  const storage = backend.tensor(data, { shape, dtype });
  const table = Array.from({ length: pages }, (_, i) => pages - 1 - i);
  return { storage, pageSize, tables: [table], lengths: [entries] };
}

/** For each so many queries of 90, three entries below 150. */
export function tokensIn(
  backend: Backend,
  [queryBlock, stride]: [number, number],
): TokensSelection {
  const blocks = Math.ceil(90 / queryBlock);
  const ids = Int32Array.from({ length: blocks * 3 }, (_, i) => (i % 3) * 50 + ((i * stride) % 47));
  return {
    ...{ kind: 'tokens', queryBlock },
    ids: backend.tensor(ids, { shape: [1, 1, blocks, 3], dtype: 'i32' }),
    counts: backend.tensor(new Int32Array(blocks).fill(3), {
      ...{ shape: [1, 1, blocks], dtype: 'i32' },
    }),
  };
}

/** For each 4 queries of 90 a block of 16 entries. */
export function blocksIn(backend: Backend): BlocksSelection {
  const ids = Int32Array.from({ length: 23 }, (_, i) => i % 9);
  return {
    ...{ kind: 'blocks', queryBlock: 4, blockSize: 16 },
    ids: backend.tensor(ids, { shape: [1, 1, 23, 1], dtype: 'i32' }),
    counts: backend.tensor(new Int32Array(23).fill(1), { shape: [1, 1, 23], dtype: 'i32' }),
  };
}

export interface Attended {
  readonly output: Float32Array;
  readonly lse: Float32Array;
  readonly counts: Int32Array;
}

export async function attend(
  backend: Backend,
  one: Case,
  options: Partial<AttendRequest> = {},
): Promise<Attended> {
  const { heads, tokens, entries, width } = one;
  const query = wave(heads * tokens * width, 0.7);
  const result = backend.attend({
    query: backend.tensor(query, { shape: [1, heads, tokens, width] }),
    keys: entriesOf(backend, one, 0.11),
    values: entriesOf(backend, one, 0.3),
    valueDim: width,
    selection: one.selection(backend),
    visible: fromQuery(1),
    positions: { first: [entries - tokens], counts: [tokens], tokens },
    scale: 0.25,
    ...options,
  });
  const { output, logSumExp, counts } = result;
  return { output: await output.data(), lse: await logSumExp.data(), counts: await counts.data() };
}

export async function assertSame(backend: Backend, one: Case): Promise<void> {
  const [actual, expected] = [await attend(backend, one), await attend(reference(), one)];
  expect([...actual.counts]).toEqual([...expected.counts]);
  actual.lse.forEach((value, i) => expect(value).toBeCloseTo(expected.lse[i], 4));
  actual.output.forEach((value, i) => expect(value).toBeCloseTo(expected.output[i], 4));
}
