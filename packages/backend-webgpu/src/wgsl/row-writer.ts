import type { DType } from '@jit-attention/core';

/**
 * A function `NAME_write(row, width, source_row)` that writes a row of `width` floats into a storage buffer
 * `array<u32>` from word `row` on. `element` is WGSL for float `d` (u32) of the source, which may name `source_row`.
 *
 * i8: codes round half to even (`round`), a scale of `max|x| / 127`; a row of zeros has scale 0.
 */
export function rowWriter(name: string, dtype: DType, element: string): string {
  return /* wgsl */ `
fn ${name}_element(source_row: u32, d: u32, width: u32) -> f32 {
  if (d >= width) { return 0.0; }
  return ${element};
}
fn ${name}_write(row: u32, width: u32, source_row: u32) {${WRITERS[dtype].replaceAll('NAME', name)}}
`;
}

const WRITERS: Record<DType, string> = {
  f32: /* wgsl */ `
  for (var d = 0u; d < width; d++) {
    NAME[row + d] = bitcast<u32>(NAME_element(source_row, d, width));
  }
`,
  i32: /* wgsl */ `
  for (var d = 0u; d < width; d++) {
    NAME[row + d] = bitcast<u32>(i32(NAME_element(source_row, d, width)));
  }
`,
  f16: /* wgsl */ `
  for (var d = 0u; d < width; d += 2) {
    let pair = vec2f(NAME_element(source_row, d, width), NAME_element(source_row, d + 1, width));
    NAME[row + d / 2] = pack2x16float(pair);
  }
`,
  i8: /* wgsl */ `
  var largest = 0.0;
  for (var d = 0u; d < width; d++) { largest = max(largest, abs(NAME_element(source_row, d, width))); }
  let scale = largest / 127.0;
  NAME[row] = bitcast<u32>(scale);
  for (var d = 0u; d < width; d += 4) {
    var codes = vec4i(0);
    for (var i = 0u; i < 4; i++) {
      if (scale > 0) { codes[i] = i32(round(NAME_element(source_row, d + i, width) / scale)); }
    }
    NAME[row + 1 + d / 4] = pack4xI8(codes);
  }
`,
};
