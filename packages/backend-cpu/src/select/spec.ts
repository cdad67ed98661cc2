import {
  type Entries,
  headsOf,
  type Pick,
  type Pooling,
  type Score,
  scoredEntries,
  type SelectRequest,
  type Tensor,
} from '@jit-attention/core';

import {
  encodeBound,
  encodeEntries,
  encodeIntervals,
  encodePositions,
  encodeSelection,
} from '../descriptors.js';
import type { Host } from '../host.js';
import { asFloats } from '../ops/convert.js';
import { floatWords } from '../words.js';
import { isProbability, type Lists, roomOf } from './lists.js';
import type { Sizes } from './sizes.js';

const KINDS = { dot: 0, softmax: 1, bounds: 2, splitBounds: 3, reluWeighted: 4, antidiagonal: 5 };
const REDUCTIONS = { max: 0, sum: 1, union: 2 };
const PICKS: Record<Pick['kind'], number> = { topk: 0, topp: 1, threshold: 2 };

/**
 * Writes what the kernels are told about a selection, in the words of assembly/select/spec.ts; the two change
 * together.
 *
 * @param regions offsets of the regions of a thread's scratch
 */
export function writeSpec(
  host: Host,
  request: SelectRequest,
  lists: Lists,
  sizes: Sizes,
  result: { ids: Tensor; counts: Tensor },
  regions: readonly number[],
): number {
  const { arena } = host;
  const { score, over, within, always = [], pick, positions, visible } = request;
  const pointerOf = host.pointerOf.bind(host);
  const entries = (one: Entries): number => encodeEntries(arena, pointerOf, one);
  const [, heads, tokens, width] = score.query.shape;
  return arena.i32([
    KINDS[sizes.kind],
    ...[asFloats(host, score.query), heads, tokens, width],
    entries(scoredEntries(score)),
    score.kind === 'bounds' ? entries(score.max) : 0,
    score.kind === 'reluWeighted' ? asFloats(host, score.weights) : 0,
    ...floatWords(scaleOf(score), softcapOf(score)),
    ...[lists.cell, sizes.depth, sizes.inner],
    encodeBound(arena, seenBound(request)),
    encodeBound(arena, visible),
    arena.i32(over.lengths),
    request.block ?? 1,
    ...poolWords(host, request.pool),
    REDUCTIONS[lists.reduce],
    within ? encodeSelection(arena, pointerOf, within) : 0,
    lists.headRun,
    Math.max(1, heads / headsOf(over)),
    encodeIntervals(arena, always),
    always.length,
    ...[PICKS[pick.kind], roomOf(request), ...doubleWords(limitOf(pick))],
    encodePositions(arena, positions),
    ...[lists.heads, lists.group, lists.queryBlock, lists.queryBlocks],
    ...[pointerOf(result.ids), pointerOf(result.counts), lists.capacity],
    ...[sizes.strip, sizes.chunk, Number(isProbability(score)), Number(sizes.coded)],
    ...regions,
  ]);
}

function scaleOf(score: Score): number {
  if (score.kind === 'bounds') return 1;
  return score.kind === 'antidiagonal' ? score.scale / score.stride : score.scale;
}

/** 0: none. */
function softcapOf(score: Score): number {
  return score.kind === 'softmax' ? (score.softcap ?? 0) : 0;
}

/** Which scored entries a query sees. */
export function seenBound({ score, visible }: SelectRequest): SelectRequest['visible'] {
  return (score.kind === 'softmax' ? score.visible : undefined) ?? visible;
}

/** `[stride, offset, length, weights, pooled]` */
function poolWords(host: Host, pool: Pooling | undefined): number[] {
  if (!pool) return [1, 0, 1, 0, 0];
  const { stride, offset = 0, weights } = pool;
  if (weights === 'max') return [stride, offset, pool.length ?? stride, 0, 1];
  return [stride, offset, weights.length, host.arena.f32(weights), 1];
}

/** `p` of top-p, or the smallest score of a threshold. */
function limitOf(pick: Pick): number {
  return pick.kind === 'topp' ? pick.p : pick.kind === 'threshold' ? pick.min : 0;
}

/** An f64 as two words. */
function doubleWords(value: number): Int32Array {
  return new Int32Array(Float64Array.of(value).buffer);
}
