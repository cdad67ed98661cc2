/** WGSL that says which units `always` names for the queries of a list. */
export const FORCED_UNITS = /* wgsl */ `
// The queries of a list, at positions [start, end), of a batch row whose set has as many entries.
struct Queries { start: i32, end: i32, length: i32 }

fn queries_of(batch: i32, block: i32) -> Queries {
  let first = first_position(word(POSITIONS), batch);
  let start = block * word(QUERY_BLOCK);
  let end = min(start + word(QUERY_BLOCK), query_count(word(POSITIONS), batch));
  return Queries(first + start, first + end, words[word(LENGTHS) + batch]);
}

// The first position at which a bound, which never falls, is above x.
fn rises_above(bound: i32, x: i32) -> i32 {
  let stride = words[bound + 1];
  if (stride > 0) { return (x + 1) * stride - words[bound]; }
  return select(0x7fffffff, 0, words[bound] > x);
}

fn is_forced(queries: Queries, unit: i32) -> bool {
  let start = unit * word(UNIT_SIZE);
  let end = min(start + word(UNIT_SIZE), queries.length);
  if (start >= end) { return false; }
  let seen = max(queries.start, rises_above(word(VISIBLE), start));
  for (var i = 0; i < word(ALWAYS_COUNT); i++) {
    let low = word(ALWAYS) + 4 * i;
    let high = low + 2;
    // From where on an interval ends behind the unit's start, until it begins at the unit's end or behind.
    for (var p = max(seen, rises_above(high, start)); p < queries.end; p++) {
      let begins = max(0, bound_at(low, p));
      if (begins >= end) { break; }
      if (begins < bound_at(high, p) && begins < bound_at(word(VISIBLE), p)) { return true; }
    }
  }
  return false;
}
`;
