import { exp2 } from '../simd';
import { LANES } from './block';

/**
 * Online softmax of eight queries over their logits `[key][8]`, in base 2: the queries carry `scale * log2 e`. Their
 * state is `[8 largest logits so far][8 sums of 2^(logit - largest)]`. The two halves do not know of each other.
 */

export function resetState(state: usize, queries: i32): void {
  for (const end = state + (queries << 3); state < end; state += 2 * LANES) {
    memory.fill(state + LANES, 0, LANES);
    v128.store(state, f32x4.splat(-Infinity));
    v128.store(state, f32x4.splat(-Infinity), 16);
  }
}

/**
 * Turns the logits of `count` keys into weights and takes them into the state; what the queries have gathered so far,
 * `output[width][8]`, is scaled down where a larger logit comes.
 */
export function softmaxLanes(
  logits: usize,
  count: i32,
  state: usize,
  output: usize,
  width: i32,
): void {
  for (let half = 0; half < LANES; half += 16) {
    const first = logits + half;
    const end = first + count * LANES;
    takeLargest(first, end, state + half, output + half, width);
    takeWeights(first, end, state + half);
  }
}

function takeLargest(at: usize, end: usize, state: usize, output: usize, width: i32): void {
  const before = v128.load(state);
  let largest = before;
  for (; at < end; at += LANES) largest = f32x4.pmax(largest, v128.load(at)); // passes over NaN
  const grown = f32x4.gt(largest, before);
  if (!v128.any_true(grown)) return;
  v128.store(state, largest);
  const one = f32x4.splat(1);
  const factor = v128.bitselect(exp2(f32x4.sub(before, largest)), one, grown);
  scale(state + LANES, factor);
  for (const last = output + width * LANES; output < last; output += LANES) scale(output, factor);
}

/** @inline */
function scale(at: usize, factor: v128): void {
  v128.store(at, f32x4.mul(v128.load(at), factor));
}

function takeWeights(at: usize, end: usize, state: usize): void {
  const largest = v128.load(state);
  const infinite = f32x4.eq(largest, f32x4.splat(Infinity));
  if (v128.any_true(infinite)) rankInfinite(at, end, infinite);
  // Nothing but -Infinity has no weight, and nothing has been subtracted from what rankInfinite leaves.
  const shift = v128.and(largest, f32x4.lt(f32x4.abs(largest), f32x4.splat(Infinity)));
  let sum = v128.load(state + LANES);
  for (; at < end; at += LANES) {
    const weight = exp2(f32x4.sub(v128.load(at), shift));
    v128.store(at, weight);
    sum = f32x4.add(sum, weight);
  }
  v128.store(state + LANES, sum);
}

/** A logit of +Infinity takes all the mass, shared with its equals: they become 0, all others but NaN -Infinity. */
function rankInfinite(at: usize, end: usize, lanes: v128): void {
  for (; at < end; at += LANES) {
    const logit = v128.load(at);
    const equal = f32x4.eq(logit, f32x4.splat(Infinity));
    const rank = v128.bitselect(f32x4.splat(0), f32x4.splat(-Infinity), equal);
    v128.store(at, v128.bitselect(rank, logit, v128.and(lanes, f32x4.eq(logit, logit))));
  }
}
