/**
 * WGSL of `cut_at(lane, begin, end, wanted, by_mass) -> Cut`: where the best ranks, forced ones apart, come to what is
 * wanted, each counting 1 or, `by_mass`, its score. All threads of a workgroup call it, each with its own vectors
 * `[begin, end)` of `ranks`; it needs `together('summed', 'vec4f', …)`.
 *
 * A digit of two bits at a time, most significant first: of the ranks that begin with the digits found so far, each
 * thread sums up those with each next digit. Nothing is sorted, nobody waits at a popular digit, and sums of floats are
 * the same every time.
 */
export const CUTTING = /* wgsl */ `
// Ranks above the limit are in, and so many that are equal to it.
struct Cut { limit: u32, equal: f32 }
const MOST = 16777216.0;
const ONLY_FORCED = Cut(FORCED - 1, 0);

fn cut_at(lane: u32, begin: i32, end: i32, wanted: f32, by_mass: bool) -> Cut {
  var left = wanted;
  var limit = 0u;
  for (var shift = 30u; shift < 32; shift -= 2) {
    let sums = summed(lane, digit_sums(begin, end, limit, shift, by_mass));
    // Rounding may have it that all digits come to less than is left: then all are in.
    var digit = 3u;
    while (digit > 0 && sums[digit] < left) {
      left -= sums[digit];
      digit--;
    }
    limit |= digit << shift;
    // All that begin so are in: the rest is known.
    if (sums[digit] == left) { return Cut(limit, MOST); }
  }
  let each = select(1.0, score_of(limit), by_mass);
  return Cut(limit, select(MOST, ceil(left / each), each > 0));
}

fn digit_sum(digit: u32, worth: f32) -> vec4f {
  return select(vec4f(), vec4f(worth), vec4u(digit) == vec4u(0, 1, 2, 3));
}
fn digit_sums(begin: i32, end: i32, limit: u32, shift: u32, by_mass: bool) -> vec4f {
  var sums = vec4f();
  for (var v = begin; v < end; v++) {
    let four = ranks[v];
    let worth = select(vec4f(1), scores_of(four), by_mass);
    let digits = (four ^ vec4u(limit)) >> vec4u(shift);
    let counts = (four != vec4u(EXCLUDED)) & (four != vec4u(FORCED));
    let counted = select(vec4f(), worth, counts);
    sums += digit_sum(digits.x, counted.x) + digit_sum(digits.y, counted.y);
    sums += digit_sum(digits.z, counted.z) + digit_sum(digits.w, counted.w);
  }
  return sums;
}

fn stricter(a: Cut, b: Cut) -> Cut {
  if (a.limit > b.limit || (a.limit == b.limit && a.equal < b.equal)) { return a; }
  return b;
}
`;
