import type { DType } from '@jit-attention/core';

/** Threads that write a row: a word of it each, then the next ones; at most a workgroup. */
export type Lanes = 1 | 2 | 4 | 8 | 16 | 32 | 64;

/** As many threads as a row has words, and a power of two. */
export function lanesFor(words: number): Lanes {
  return (2 ** Math.min(6, Math.ceil(Math.log2(Math.max(1, words))))) as Lanes;
}

/**
 * A function `NAME_write(row, width, source_row, lane, live)` with which `lanes` neighbouring threads write a row of
 * `width` floats into a storage buffer `array<u32>` from word `row` on. `lane` is the thread's in its workgroup; threads
 * that are not `live` have nothing to write, but call it too. `element` is WGSL for float `d` of the source.
 *
 * f16: to nearest, ties to even, on all devices (`pack2x16float` may round either way). i8: a scale of `max|x| / 127`,
 * ties upwards; a row of zeros has scale 0, one with an infinity or NaN is NaN.
 */
export function rowWriter(name: string, dtype: DType, lanes: Lanes, element: string): string {
  const text = /* wgsl */ `
fn NAME_element(source_row: u32, d: u32, width: u32) -> f32 {
  if (d >= width) { return 0.0; }
  return ${element};
}
${WRITERS[dtype]}`;
  return text.replaceAll('NAME', name).replaceAll('LANES', `${lanes}u`);
}

const perWord = (words: string, value: string): string => /* wgsl */ `
fn NAME_write(row: u32, width: u32, source_row: u32, lane: u32, live: bool) {
  if (!live) { return; }
  for (var i = lane % LANES; i < ${words}; i += LANES) { NAME[row + i] = ${value}; }
}
`;

const HALVES = /* wgsl */ `
fn NAME_half(source_row: u32, d: u32, width: u32) -> u32 {
  let bits = bitcast<u32>(NAME_element(source_row, d, width));
  let sign = (bits >> 16) & 0x8000u;
  let size = bits & 0x7fffffffu;
  if (size > 0x7f800000u) { return sign | 0x7e00u; } // NaN
  if (size >= 0x477ff000u) { return sign | 0x7c00u; } // nearer to infinity than to the largest half
  if (size >= 0x38800000u) { return sign | (((size + 0xfffu + ((size >> 13) & 1u)) >> 13) - 0x1c000u); }
  // Below the smallest normal half: a multiple of 2^-24.
  let shift = min(126u - (size >> 23), 25u);
  let mantissa = (size & 0x7fffffu) | 0x800000u;
  return sign | ((mantissa + (1u << (shift - 1u)) - 1u + ((mantissa >> shift) & 1u)) >> shift);
}
`;

const WRITERS: Record<DType, string> = {
  f32: perWord('width', 'bitcast<u32>(NAME_element(source_row, i, width))'),
  i32: perWord('width', 'bitcast<u32>(i32(NAME_element(source_row, i, width)))'),
  f16:
    HALVES +
    perWord(
      '(width + 1) / 2',
      'NAME_half(source_row, 2 * i, width) | (NAME_half(source_row, 2 * i + 1, width) << 16)',
    ),
  i8: /* wgsl */ `
var<workgroup> NAME_sizes: array<u32, 64>;
fn NAME_code(x: f32) -> i32 {
  let even = round(x);
  return i32(even) + select(0, 1, x - even == 0.5);
}
fn NAME_write(row: u32, width: u32, source_row: u32, lane: u32, live: bool) {
  // The bits of positive floats are in their order; NaN comes last, infinity before it.
  var largest = 0u;
  for (var d = lane % LANES; d < width; d += LANES) {
    largest = max(largest, bitcast<u32>(NAME_element(source_row, d, width)) & 0x7fffffffu);
  }
  NAME_sizes[lane] = largest;
  workgroupBarrier();
  let first = lane / LANES * LANES;
  for (var i = 0u; i < LANES; i++) { largest = max(largest, NAME_sizes[first + i]); }
  if (!live) { return; }
  let scale = bitcast<f32>(largest) / 127.0;
  if (lane == first) {
    NAME[row] = select(bitcast<u32>(scale), 0x7fc00000u, largest >= 0x7f800000u);
  }
  for (var i = lane % LANES; i < (width + 3) / 4; i += LANES) {
    var codes = vec4i(0);
    for (var j = 0u; j < 4; j++) {
      if (scale > 0) { codes[j] = NAME_code(NAME_element(source_row, 4 * i + j, width) / scale); }
    }
    NAME[row + 1 + i] = pack4xI8(codes);
  }
}
`,
};
