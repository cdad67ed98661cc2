/**
 * WGSL of `tally_of(row, block, zero, begin, end, least)`, by which a thread looks over its vectors of ranks, and marks those
 * of forced units. With `mass` scores are summed up.
 */
export const tallying = (mass: boolean, forces: boolean): string => /* wgsl */ `
fn count_of(which: vec4<bool>) -> i32 {
  let ones = select(vec4i(), vec4i(1), which);
  return ones.x + ones.y + ones.z + ones.w;
}

// Forced units, others of at least this rank, and what the former and the latter score; forces the former.
fn tally_of(row: Row, block: i32, zero: i32, begin: i32, end: i32, least: u32) -> vec4f {
  var tally = vec4f();
  ${forces ? 'let queries = queries_of(row.batch, block);' : ''}
  for (var v = begin; v < end; v++) {
    var four = ranks[v];
    ${
      forces
        ? `for (var i = 0; i < 4; i++) {
      if (!is_forced(queries, 4 * (v - zero) + i)) { continue; }
      tally.x += 1;
      ${mass ? 'if (four[i] != EXCLUDED) { tally.z += score_of(four[i]); }' : ''}
      four[i] = FORCED;
    }
    ranks[v] = four;`
        : ''
    }
    let others = (four >= vec4u(least)) & (four != vec4u(FORCED));
    tally.y += f32(count_of(others));
    ${mass ? 'tally.w += dot(select(vec4f(), scores_of(four), others), vec4f(1));' : ''}
  }
  return tally;
}
`;
