/**
 * Vector arithmetic that the kernels share. One vector is four f32. Maxima are `pmax`, one instruction on x86,
 * where `max` with its rules for NaN takes six.
 */

export const LOG2E: f32 = 1.4426950408889634;

/** `a * b + c`; fused where relaxed SIMD is compiled in. @inline */
export function madd(a: v128, b: v128, c: v128): v128 {
  if (ASC_FEATURE_RELAXED_SIMD) return f32x4.relaxed_madd(a, b, c);
  return f32x4.add(f32x4.mul(a, b), c);
}

/**
 * `2^x` for x <= 0, relative error below 3e-7 down to 2^-126; exactly 0 from 2^-127 on, as what is hidden (-Infinity)
 * has no weight at all; NaN for NaN. Adding 1.5 * 2^23 + 127 rounds to a whole number and leaves the exponent of its
 * power in the low bits; for the fraction, in [-1/2, 1/2], a minimax polynomial (Remez) of degree 5.
 * @inline
 */
export function exp2(x: v128): v128 {
  const magic = f32x4.splat(12583039.0);
  const clamped = f32x4.pmax(x, f32x4.splat(-127.0));
  const whole = f32x4.add(clamped, magic);
  const fraction = f32x4.sub(clamped, f32x4.sub(whole, magic));
  let p = madd(f32x4.splat(0.0013276472454890609), fraction, f32x4.splat(0.009675540961325169));
  p = madd(p, fraction, f32x4.splat(0.05550713092088699));
  p = madd(p, fraction, f32x4.splat(0.24022120237350464));
  p = madd(p, fraction, f32x4.splat(0.6931469440460205));
  p = madd(p, fraction, f32x4.splat(1.0000001192092896));
  return f32x4.mul(p, i32x4.shl(whole, 23));
}

/** @inline */
export function exp2Scalar(x: f32): f32 {
  return f32x4.extract_lane(exp2(f32x4.splat(x)), 0);
}

/** @inline */
export function horizontalMax(v: v128): f32 {
  const pairs = f32x4.pmax(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.pmax(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}

/** @inline */
export function horizontalSum(v: v128): f32 {
  const pairs = f32x4.add(v, i32x4.shuffle(v, v, 2, 3, 0, 1));
  return f32x4.extract_lane(f32x4.add(pairs, i32x4.shuffle(pairs, pairs, 1, 0, 3, 2)), 0);
}
