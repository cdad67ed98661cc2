import {
  assertEntryHeld,
  assertOneOf,
  assertRange,
  assertWhole,
  type Entries,
  headsOf,
  inputError,
  type PoolPart,
  type PoolRequest,
  type Tensor,
  widthOf,
} from '@jit-attention/core';

import { Descriptor } from '../descriptor.js';
import { DEFAULT_THREADS } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { type Chunk, gathered, needsGathering } from './pool-gather.js';
import { poolKernel } from './pool-kernel.js';
import { channelsOf, type Part, partsAsTheyLie, sourcesOf } from './pool-parts.js';
import { type Rows, rowsIn, runsOf } from './row-runs.js';

const KINDS = ['mean', 'min', 'max', 'softmax', 'concat'] as const;

/** See `PoolRequest`. */
export function pool(gpu: Gpu, request: PoolRequest): Tensor<'f32'> {
  check(request);
  const { kind, parts, first, count } = request;
  const [start, end] = channelsOf(parts[0]);
  const rows = parts.reduce((sum, part) => sum + part.length, 0);
  const width = (end - start) * (kind === 'concat' ? rows : 1);
  const result = gpu.make([first.length, headsOf(parts[0].values), count, width], 'f32');
  const output = rowsIn(gpu, result);
  if (needsGathering(gpu, request)) {
    for (const [parts, chunk] of gathered(gpu, request)) reduce(gpu, request, parts, output, chunk);
  } else {
    reduce(gpu, request, partsAsTheyLie(gpu, request), output, { start: 0, end: count });
  }
  return result;
}

/** Reduces groups `start` to `end` of each batch row. */
function reduce(
  gpu: Gpu,
  { kind, parts: of, stride, first, count }: PoolRequest,
  parts: readonly Part[],
  output: Rows,
  { start, end }: Chunk,
): void {
  const sources = parts.flatMap(sourcesOf);
  const buffers = [...new Set(sources.map(({ at }) => at))];
  const [from, to] = channelsOf(of[0]);
  const isWide = [to - from, ...sources.map(({ channel }) => channel)].every((n) => n % 4 === 0);
  const wide = isWide ? 4 : 1;
  const kernel = poolKernel(kind, wide, {
    dtypes: buffers.map((at) => sources.find((source) => source.at === at)!.entries.storage.dtype),
    parts: parts.map((part) => sourcesOf(part).map(({ at }) => buffers.indexOf(at))),
  });
  const items = (first.length * headsOf(of[0].values) * (end - start) * output.width) / wide;
  for (const run of runsOf(gpu, output)) {
    const words = new Descriptor();
    const callAt = words.add(0);
    const call = [
      ...[items, output.width / wide, (to - from) / wide, headsOf(of[0].values), count],
      ...[start, end - start, stride, words.list(first), run.first, run.rows, run.skip / wide],
      ...parts.flatMap((part) => partWords(words, part)),
    ];
    words.words[callAt - 1] = words.list(call);
    gpu.run(kernel, {
      words: words.words,
      buffers: [...buffers, run.at],
      groups: Math.ceil(items / DEFAULT_THREADS),
    });
  }
}

/** `[start, length, values, logits]`, the latter `[entries, base, low, channel]` each. */
function partWords(words: Descriptor, part: Part): number[] {
  const { start, length } = part;
  const sources = sourcesOf(part).flatMap(({ entries, base, low, channel }) => [
    ...[words.entries(entries), base, words.list(low), channel],
  ]);
  return [start, length, ...sources, ...(part.logits ? [] : [0, 0, 0, 0])];
}

function check({ kind, parts, first, count, stride }: PoolRequest): void {
  assertOneOf('pool', 'kind', kind, KINDS);
  if (parts.length === 0) throw inputError('pool', 'at least one part', 'none');
  assertWhole('pool', 'count', count, { min: 0 });
  const [from, to] = channelsOf(parts[0]);
  for (const part of parts) {
    const [start, end] = channelsOf(part);
    assertRange('pool: channels', [start, end], widthOf(part.values));
    if (end - start !== to - from)
      throw inputError('pool', `${to - from} channels in each part`, end - start);
    if (kind === 'softmax' && !part.logits)
      throw inputError('pool', 'logits in each part', 'none', { code: 'MISSING_INPUT' });
    if (part.logits) assertRange('pool: channels', [start, end], widthOf(part.logits));
    for (const entries of part.logits ? [part.values, part.logits] : [part.values]) {
      if (entries.tables.length !== first.length)
        throw inputError('pool', `${first.length} batch rows`, entries.tables.length);
      if (headsOf(entries) !== headsOf(parts[0].values))
        throw inputError('pool', 'equally many heads in each part', headsOf(entries));
      assertHeld({ stride, first, count }, part, entries);
    }
  }
}

/** @throws {CacheError} `ENTRY_FREED` when a group has a row whose page was freed */
function assertHeld(
  { stride, first, count }: Pick<PoolRequest, 'stride' | 'first' | 'count'>,
  part: PoolPart,
  entries: Entries,
): void {
  entries.tables.forEach((table, row) => {
    if (!table.some((page) => page < 0)) return;
    for (let group = first[row]; group < first[row] + count; group++) {
      const start = Math.max(0, stride * group + part.start);
      const end = Math.min(part.length + stride * group + part.start, part.values.lengths[row]);
      for (let n = start; n < end; n++) assertEntryHeld(table, entries.pageSize, n);
    }
  });
}
