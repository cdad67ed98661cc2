/**
 * WGSL of scores as integers that sort alike, *ranks*: picking compares, counts and cuts them into digits. The two
 * ends of the range are free, as no number maps to them.
 */
export const RANKS = /* wgsl */ `
// Of a unit that may not be picked, and of one that must be.
const EXCLUDED = 0u;
const FORCED = 0xffffffffu;

// Negative floats sort backwards by their bits: all are turned over. -0 is +0.
fn ranks_of(scores: vec4f) -> vec4u {
  let bits = bitcast<vec4u>(scores);
  let turned = select(bits | vec4u(0x80000000), ~bits, bits > vec4u(0x7fffffff));
  return select(turned, vec4u(0x80000000), bits == vec4u(0x80000000));
}
fn scores_of(ranks: vec4u) -> vec4f {
  return bitcast<vec4f>(select(~ranks, ranks & vec4u(0x7fffffff), ranks > vec4u(0x7fffffff)));
}
fn score_of(rank: u32) -> f32 {
  return bitcast<f32>(select(~rank, rank & 0x7fffffff, rank > 0x7fffffff));
}
`;
