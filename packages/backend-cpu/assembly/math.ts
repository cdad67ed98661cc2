import { exp2, LOG2E, madd } from './simd';

/**
 * `e^x`, relative error below 4e-7 where |x| is small and 1e-7 |x| beyond: `2^(x log2 e)` by a whole number in the
 * exponent and a polynomial of degree 7 for the rest, in [-0.35, 0.35]. Below -87: 0; above 88: Infinity; NaN: NaN.
 */
export function exp(x: v128): v128 {
  const magic = f32x4.splat(12582912.0); // 1.5 * 2^23: what is added to it is rounded to a whole number
  const scaled = f32x4.mul(x, f32x4.splat(1.44269504));
  const clamped = f32x4.min(f32x4.max(scaled, f32x4.splat(-126)), f32x4.splat(127));
  const whole = f32x4.add(clamped, magic);
  const rounded = f32x4.sub(whole, magic);
  // x - n ln 2 in two parts: as exact as if ln 2 had the bits of both
  const r = madd(rounded, f32x4.splat(2.1219444e-4), madd(rounded, f32x4.splat(-0.693359375), x));
  let p = madd(f32x4.splat(0.00019875691), r, f32x4.splat(0.0013981999));
  p = madd(p, r, f32x4.splat(0.0083334519));
  p = madd(p, r, f32x4.splat(0.041665795));
  p = madd(p, r, f32x4.splat(0.16666665));
  p = madd(p, r, f32x4.splat(0.5));
  p = madd(p, r, f32x4.splat(1));
  p = madd(p, r, f32x4.splat(1));
  const power = i32x4.add(p, i32x4.shl(whole, 23));
  const positive = v128.bitselect(power, f32x4.splat(0), f32x4.ge(scaled, f32x4.splat(-126)));
  const finite = v128.bitselect(
    f32x4.splat(Infinity),
    positive,
    f32x4.gt(scaled, f32x4.splat(127)),
  );
  return v128.bitselect(finite, x, f32x4.eq(x, x));
}

/** `unit * softcap * tanh(logit / softcap)` in place, by `tanh |x| = (1 - e^-2|x|) / (1 + e^-2|x|)`. */
export function softcapAll(logits: usize, end: usize, softcap: f32, unit: f32): void {
  const exponent = f32x4.splat((-2 * LOG2E) / softcap);
  const largest = f32x4.splat(softcap * unit);
  const one = f32x4.splat(1);
  for (; logits < end; logits += 16) {
    const logit = v128.load(logits);
    const decay = exp2(f32x4.mul(f32x4.abs(logit), exponent));
    const tanh = f32x4.div(f32x4.sub(one, decay), f32x4.add(one, decay));
    const sign = v128.and(logit, i32x4.splat(0x80000000));
    v128.store(logits, f32x4.mul(v128.or(tanh, sign), largest));
  }
}

/** The upper two of four f32 as f64. @inline */
export function promoteHigh(v: v128): v128 {
  return f64x2.promote_low_f32x4(i32x4.shuffle(v, v, 2, 3, 0, 1));
}

/**
 * How many whole steps two f64 are from zero, ties upwards. In f64, as the reference: a code must not depend on how a
 * quotient was rounded. @inline
 */
export function wholeSteps(distance: v128, step: v128): v128 {
  return f64x2.floor(f64x2.add(f64x2.div(distance, step), f64x2.splat(0.5)));
}
