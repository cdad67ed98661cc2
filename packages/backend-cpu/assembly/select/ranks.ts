/**
 * Scores as integers that sort alike, *ranks*: picking compares, counts and cuts them into digits. The two ends of
 * the range are free, as no number maps to them.
 */

/** Of a unit that may not be picked, and of one that must be. */
export const EXCLUDED: i32 = i32.MIN_VALUE;
export const FORCED: i32 = i32.MAX_VALUE;

/** Turns the scores of a slot into ranks, in place; NaN is excluded. Returns how many units may be picked. */
export function rankScores(slot: usize, count: i32): i32 {
  let eligible = i32x4.splat(0);
  for (let at = slot; at < slot + (count << 2); at += 16) {
    const score = v128.load(at);
    const isNumber = f32x4.eq(score, score);
    v128.store(at, v128.bitselect(ranksOf(score), i32x4.splat(EXCLUDED), isNumber));
    eligible = i32x4.sub(eligible, isNumber);
  }
  return (
    i32x4.extract_lane(eligible, 0) +
    i32x4.extract_lane(eligible, 1) +
    i32x4.extract_lane(eligible, 2) +
    i32x4.extract_lane(eligible, 3)
  );
}

/** Negative floats sort backwards by their bits: all but the sign is turned over. -0 is +0. @inline */
function ranksOf(score: v128): v128 {
  const bits = f32x4.add(score, f32x4.splat(0));
  const turned = v128.and(i32x4.shr_s(bits, 31), i32x4.splat(0x7fffffff));
  return v128.xor(bits, turned);
}

export function rankOf(score: f32): i32 {
  return i32x4.extract_lane(ranksOf(f32x4.splat(score)), 0);
}

export function scoreOf(rank: i32): f32 {
  return reinterpret<f32>(rank ^ ((rank >> 31) & 0x7fffffff));
}
