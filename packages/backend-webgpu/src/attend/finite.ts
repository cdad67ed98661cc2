/** The bits of a NaN. It is no constant of WGSL, so kernels are told. */
export const NAN_BITS = 0x7fc00000;

/**
 * WGSL for logits at the edge: devices may take it that Infinity and NaN do not occur, so no arithmetic meets them. A
 * logit of 1e38 counts as Infinity.
 */
export const FINITE = /* wgsl */ `
const LARGEST = 1e38;
// The logit of what is not read; far below the start of every maximum, so that its weight is exactly 0.
const HIDDEN = -1e38;
const NOTHING_YET = -5e37;

fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u; }
fn tamed(x: f32) -> f32 { return clamp(x, -LARGEST, LARGEST); }

// Without a cap, 0.
fn capped(x: f32, cap: f32) -> f32 {
  return select(cap * tanh(clamp(x / select(cap, 1.0, cap == 0), -20.0, 20.0)), x, cap == 0);
}

// The bits of most + log(sum); a sum of nothing has -Infinity.
fn log_sum_exp(most: f32, sum: f32) -> u32 {
  let finite = bitcast<u32>(most + log(sum));
  let infinite = (most >= LARGEST) & !is_nan(sum);
  return select(select(finite, 0x7f800000u, infinite), 0xff800000u, sum == 0);
}
`;
