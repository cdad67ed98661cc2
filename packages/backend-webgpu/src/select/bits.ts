/** WGSL that reads which units a row of the slab may pick, `bits [rows][BIT_WORDS]`, a bit each. */
export const BITS = /* wgsl */ `
// Of units unit to unit + 15, a multiple of 16.
fn bits_16(row: i32, unit: i32) -> u32 {
  let at = unit / 32;
  if (at >= word(BIT_WORDS)) { return 0u; }
  return (bits[row * word(BIT_WORDS) + at] >> u32(unit % 32)) & 0xffffu;
}

// Of units unit to unit + 3, a multiple of 4.
fn are_candidates(row: i32, unit: i32) -> vec4<bool> {
  let four = bits_16(row, unit - unit % 16) >> u32(unit % 16);
  return (vec4u(four) & vec4u(1, 2, 4, 8)) != vec4u(0);
}
`;
