import {
  type AttendRequest,
  type AttendResult,
  headsOf,
  slicePositions,
  tensorsOf,
  widthOf,
} from '@jit-attention/core';

import { DEFAULT_THREADS } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import { fits, type Half, halfOf, halves, lcm } from '../halves.js';
import { decoded } from '../ops/convert.js';
import { copyInto } from '../ops/copy-into.js';
import type { Storage } from '../storage.js';
import { attention, type Variant } from './attention.js';
import { type Call, describe } from './call.js';
import { NAN_BITS } from './finite.js';
import { assertHeld } from './held.js';
import { JOIN } from './join.js';
import { legsOf, type Parts, partsOf, selectionOf } from './lists.js';
import { haveSamePages, windowsOf } from './windows.js';
import { slicesThatFit, workOf } from './work.js';

/** Attention over one branch: a kernel that comes to slices of the results, and one that joins them if there are more. */
export function attend(gpu: Gpu, request: AttendRequest): AttendResult {
  const parts = partsOf(request.selection);
  assertHeld(request, parts);
  const result = makeResult(gpu, request);
  if (result.logSumExp.size === 0) return result;
  const windows = windowsOf(gpu, request.keys, request.values);
  const smaller = halvesOf(gpu, request, parts, windows.length);
  if (smaller.length > 0) {
    for (const half of smaller) attendHalf(gpu, request, half, result);
    return result;
  }
  const work = workOf(gpu, request, parts, windows.length);
  const slices = windows.length * work.shares;
  const partial = partialOf(gpu, result, slices);
  const queries = decoded(gpu, request.query);
  windows.forEach((window, i) => {
    const call = { request, parts, work, window, slice: i * work.shares };
    run(gpu, call, { queries, partial, isPart: windows.length > 1 });
  });
  if (slices > 1) join(gpu, result, partial, slices);
  else copyStats(gpu, result, partial);
  return result;
}

/** None where all of the call can be bound. */
function halvesOf(gpu: Gpu, request: AttendRequest, { lists }: Parts, windows: number): Half[] {
  const { query } = request;
  const listed = lists.reduce((sum, { ids, counts }) => sum + ids.bytes + counts.bytes, 0);
  const isBound = fits(gpu, 4 * query.size, listed) && windows <= slicesThatFit(gpu, request);
  const together = lists.map(({ queryBlock }) => queryBlock).reduce(lcm, 1);
  return isBound ? [] : halves(query.shape[2], together);
}

function attendHalf(gpu: Gpu, request: AttendRequest, half: Half, result: AttendResult): void {
  const query = halfOf(gpu, request.query, half);
  const selection = selectionOf(gpu, request.selection, half);
  const positions = slicePositions(request.positions, ...half);
  const found = attend(gpu, { ...request, query, selection, positions });
  for (const name of ['output', 'logSumExp', 'counts'] as const) {
    copyInto(gpu, result[name], found[name], { axis: 2, at: half[0] });
    found[name].dispose();
  }
  for (const part of [query, ...tensorsOf(selection)]) part.dispose();
}

function makeResult(gpu: Gpu, { query, keys, valueDim }: AttendRequest): AttendResult {
  const [batch, heads, tokens] = query.shape;
  return {
    output: gpu.make([batch, heads, tokens, valueDim], 'f32'),
    logSumExp: gpu.make([batch, heads, tokens], 'f32'),
    counts: gpu.make([batch, headsOf(keys), tokens], 'i32'),
  };
}

/** Results in slices that are still to be joined; a single slice of outputs is the result's own. */
interface Partial {
  readonly output: Storage;
  /** Of each slice: `[batch, heads, tokens]` log-sum-exps, then `[batch, kvHeads, tokens]` counts. */
  readonly stats: Storage;
}

function partialOf(gpu: Gpu, { output, logSumExp, counts }: AttendResult, slices: number): Partial {
  return {
    output: slices === 1 ? gpu.storageOf(output) : gpu.scratch(4 * slices * output.size),
    stats: gpu.scratch(4 * slices * (logSumExp.size + counts.size)),
  };
}

function run(
  gpu: Gpu,
  call: Call,
  { queries, partial, isPart }: { queries: Storage; partial: Partial; isPart: boolean },
): void {
  const { words, buffers } = describe(gpu, call);
  const { keys, values } = call.window;
  gpu.run(attention(variantOf(call, isPart)), {
    words,
    buffers: [...[queries, keys.at, values.at], ...[...buffers, partial.output, partial.stats]],
    groups: call.work.groups,
  });
}

function variantOf({ request, parts, work: { tiling } }: Call, isPart: boolean): Variant {
  const { keys, valueDim } = request;
  const values = request.values === 'keys' ? keys : request.values;
  return {
    tiling,
    legs: legsOf(parts),
    keys: keys.storage.dtype,
    values: values.storage.dtype,
    wholeKeys: widthOf(keys) % 4 === 0,
    wholeValues: widthOf(values) % 4 === 0,
    wholeOutput: valueDim % 4 === 0,
    samePages: haveSamePages(keys, values),
    isPart,
  };
}

function join(
  gpu: Gpu,
  { output, logSumExp, counts }: AttendResult,
  partial: Partial,
  slices: number,
): void {
  const [, heads, tokens, valueDim] = output.shape;
  gpu.run(JOIN, {
    words: [logSumExp.size, valueDim, slices, heads / counts.shape[1], tokens, NAN_BITS],
    buffers: [
      partial.output,
      partial.stats,
      ...[output, logSumExp, counts].map((tensor) => gpu.storageOf(tensor)),
    ],
    groups: Math.ceil(output.size / DEFAULT_THREADS),
  });
}

function copyStats(gpu: Gpu, { logSumExp, counts }: AttendResult, { stats }: Partial): void {
  const own = 4 * logSumExp.size;
  gpu.copy(stats, gpu.storageOf(logSumExp), own);
  gpu.copy({ ...stats, offset: stats.offset + own }, gpu.storageOf(counts), 4 * counts.size);
}
