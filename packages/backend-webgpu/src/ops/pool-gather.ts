import { type DType, headsOf, type PoolRequest } from '@jit-attention/core';

import { Descriptor } from '../descriptor.js';
import { DEFAULT_THREADS, kernel, kernels, read, write } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';
import { LAYOUT } from '../wgsl/layout.js';
import { rowReader } from '../wgsl/rows.js';
import { channelsOf, type Part, partsAsTheyLie, type Source, sourcesOf } from './pool-parts.js';
import { runsOf } from './row-runs.js';

/** Groups `start` to `end` of each batch row. */
export interface Chunk {
  readonly start: number;
  readonly end: number;
}

/** Whether a kernel cannot bind all the buffers that the parts lie in, or one of them as a whole. */
export function needsGathering(gpu: Gpu, request: PoolRequest): boolean {
  const { maxStorageBuffersPerShaderStage, maxStorageBufferBindingSize } = gpu.limits;
  const buffers = new Set(
    partsAsTheyLie(gpu, request)
      .flatMap(sourcesOf)
      .map(({ at }) => at),
  );
  // Beside words and output.
  if (buffers.size > maxStorageBuffersPerShaderStage - 2) return true;
  return [...buffers].some(({ bytes }) => bytes > maxStorageBufferBindingSize);
}

/**
 * The rows of some groups at a time, as f32 in one buffer that can be bound, for parts that cannot: a cache that is
 * larger than that is read in runs of its rows, each of which brings what it has.
 */
export function* gathered(gpu: Gpu, request: PoolRequest): Generator<[Part[], Chunk]> {
  const { count } = request;
  const parts = partsAsTheyLie(gpu, request);
  const most = groupsAtATime(gpu, request, parts);
  const at = gpu.scratch(4 * wordsOf(request, parts, Math.min(most, count)));
  for (let start = 0; start < count; start += most) {
    const chunk = { start, end: Math.min(count, start + most) };
    yield [bringTogether(gpu, request, parts, { at, chunk }), chunk];
  }
}

/** Numbers of a row of entries for each row and head. */
function numbersOfRow({ first, parts: [part] }: PoolRequest): number {
  const [start, end] = channelsOf(part);
  return first.length * headsOf(part.values) * (end - start);
}

const spanOf = ({ stride }: PoolRequest, { length }: Part, groups: number): number =>
  stride * (groups - 1) + length;

function wordsOf(request: PoolRequest, parts: readonly Part[], groups: number): number {
  const spans = parts.flatMap((part) => sourcesOf(part).map(() => spanOf(request, part, groups)));
  return numbersOfRow(request) * spans.reduce((sum, span) => sum + span, 0);
}

function groupsAtATime({ limits }: Gpu, request: PoolRequest, parts: readonly Part[]): number {
  const [one, two] = [1, 2].map((groups) => wordsOf(request, parts, groups));
  const room = limits.maxStorageBufferBindingSize / 4 - one;
  return 1 + Math.max(0, Math.floor(room / Math.max(1, two - one)));
}

function bringTogether(
  gpu: Gpu,
  request: PoolRequest,
  parts: readonly Part[],
  { at, chunk }: { at: Storage; chunk: Chunk },
): Part[] {
  const { stride, first } = request;
  let base = 0;
  return parts.map((part): Part => {
    const low = first.map((group) => Math.max(0, stride * (group + chunk.start) + part.start));
    const span = spanOf(request, part, chunk.end - chunk.start);
    const bring = (source: Source): Source => {
      const brought = regionOf(request, source, { at, base, low, span });
      gather(gpu, source, brought, numbersOfRow(request) * span);
      base += numbersOfRow(request) * span;
      return brought;
    };
    const { start, length, values, logits } = part;
    return { start, length, values: bring(values), logits: logits && bring(logits) };
  });
}

/** Entries of each row from `low` on, one page a row. */
function regionOf(
  { parts: [part], first }: PoolRequest,
  { entries: { lengths } }: Source,
  { at, base, low, span }: { at: Storage; base: number; low: readonly number[]; span: number },
): Source {
  const [start, end] = channelsOf(part);
  const shape = [first.length, headsOf(part.values), span, end - start];
  const entries = {
    ...{ storage: { dtype: 'f32', shape } as const, pageSize: Math.max(1, span), lengths },
    tables: first.map((_, row) => [row]),
  };
  return { at, entries, base, low, channel: 0 };
}

function gather(gpu: Gpu, from: Source, to: Source, items: number): void {
  const { dtype, shape } = from.entries.storage;
  const rows = { at: from.at, dtype, rows: shape[0] * shape[1] * shape[2], width: shape[3] };
  for (const run of runsOf(gpu, rows)) {
    const words = new Descriptor();
    const callAt = words.add(0);
    const [, heads, span, width] = to.entries.storage.shape;
    const call = [
      ...[items, width, span, heads, words.entries(from.entries), words.list(to.low)],
      ...[from.channel, to.base, run.first, run.rows, run.skip],
    ];
    words.words[callAt - 1] = words.list(call);
    gpu.run(gathering(dtype), {
      words: words.words,
      buffers: [run.at, to.at],
      groups: Math.ceil(items / DEFAULT_THREADS),
    });
  }
}

const gathering = kernels((dtype: DType) =>
  kernel({
    name: `pool: gather ${dtype}`,
    buffers: { source: read('u32'), result: write('f32') },
    declarations: `${LAYOUT}${rowReader('source', dtype)}
fn call(at: i32) -> u32 { return u32(words[words[1] + at]); }`,
    body: /* wgsl */ `
  if (item >= call(0)) { return; }
  let d = item % call(1);
  let heads_before = item / call(1) / call(2);
  let row = i32(heads_before / call(3));
  let entries = i32(call(4));
  let n = words[i32(call(5)) + row] + i32(item / call(1) % call(2));
  if (n >= entries_length(entries, row)) { return; }
  let size = words[entries];
  let place = page_of(entries, row, n) * words[entries + 1] + i32(heads_before % call(3));
  // What lies in another run, or was freed and is not asked for, becomes a large u32.
  let from_row = u32(place * size + n % size) - call(8);
  if (from_row >= call(9)) { return; }
  result[call(7) + item] = source_at(call(10) + from_row * u32(words[entries + 2]), call(6) + d);`,
  }),
);
