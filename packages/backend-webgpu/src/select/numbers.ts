/**
 * WGSL for numbers at the edge of f32. A device may take it that there is no infinity and no NaN: constants must not
 * be one, and `x != x` may be folded away. Bits say what they are.
 */
export const NUMBERS = /* wgsl */ `
const INFINITY_BITS = 0x7f800000u;

fn size_bits(x: vec4f) -> vec4u { return bitcast<vec4u>(x) & vec4u(0x7fffffff); }
fn are_nan(x: vec4f) -> vec4<bool> { return size_bits(x) > vec4u(INFINITY_BITS); }
fn is_nan(x: f32) -> bool { return (bitcast<u32>(x) & 0x7fffffffu) > INFINITY_BITS; }

fn infinity(sign: u32) -> f32 {
  var bits = INFINITY_BITS | (sign << 31);
  return bitcast<f32>(bits);
}
fn minus_infinity() -> f32 { return infinity(1u); }

// A score of NaN becomes -Infinity, so that it never wins.
fn without_nan(x: f32) -> f32 { return select(x, minus_infinity(), is_nan(x)); }
fn without_nans(x: vec4f) -> vec4f { return select(x, vec4f(minus_infinity()), are_nan(x)); }
`;
