import type { DType } from '@jit-attention/core';

/**
 * Functions that read the elements of a storage buffer `array<u32>` by where a row begins, whatever it stores:
 * `NAME_at(row, d)`, one element as f32, and `NAME_4(row, d)`, elements d to d + 3 for d a multiple of 4, of which
 * those past the row's width may be anything.
 */
export function rowReader(name: string, dtype: DType): string {
  return READERS[dtype].replaceAll('NAME', name);
}

const PLAIN = /* wgsl */ `
fn NAME_at(row: u32, d: u32) -> f32 { return bitcast<f32>(NAME[row + d]); }
fn NAME_4(row: u32, d: u32) -> vec4f {
  let at = row + d;
  return bitcast<vec4f>(vec4u(NAME[at], NAME[at + 1], NAME[at + 2], NAME[at + 3]));
}
`;

const READERS: Record<DType, string> = {
  f32: PLAIN,
  i32: /* wgsl */ `
fn NAME_at(row: u32, d: u32) -> f32 { return f32(bitcast<i32>(NAME[row + d])); }
fn NAME_4(row: u32, d: u32) -> vec4f {
  let at = row + d;
  return vec4f(bitcast<vec4i>(vec4u(NAME[at], NAME[at + 1], NAME[at + 2], NAME[at + 3])));
}
`,
  f16: /* wgsl */ `
fn NAME_at(row: u32, d: u32) -> f32 { return unpack2x16float(NAME[row + d / 2])[d % 2]; }
fn NAME_4(row: u32, d: u32) -> vec4f {
  let at = row + d / 2;
  return vec4f(unpack2x16float(NAME[at]), unpack2x16float(NAME[at + 1]));
}
`,
  i8: /* wgsl */ `
fn NAME_at(row: u32, d: u32) -> f32 {
  return bitcast<f32>(NAME[row]) * f32(unpack4xI8(NAME[row + 1 + d / 4])[d % 4]);
}
fn NAME_4(row: u32, d: u32) -> vec4f {
  return bitcast<f32>(NAME[row]) * vec4f(unpack4xI8(NAME[row + 1 + d / 4]));
}
`,
};
