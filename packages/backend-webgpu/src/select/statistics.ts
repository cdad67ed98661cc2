import { type Kernel, kernel, kernels, read, write } from '../device/kernel.js';
import { BITS } from './bits.js';
import { NUMBERS } from './numbers.js';
import { SPEC } from './spec.js';
import { QUAD, together } from './together.js';

/**
 * A kernel that finds, for each row, what makes probabilities of its raw scores: the largest, and what to multiply
 * `e^(score - largest)` with. A workgroup has a row.
 *
 * As in the f64 reference: +Infinity takes all, shared with its equals; of nothing but -Infinity all are 0; among a
 * NaN nothing has a probability, which a negative share says.
 */
export const statisticsKernel: (masked: boolean, threads: number) => Kernel = kernels(
  (masked, threads) =>
    kernel({
      name: 'select: statistics',
      threads,
      enable: threads === QUAD ? ['subgroups'] : [],
      buffers: {
        rows: read('Row'),
        raw: read('vec4f'),
        ...(masked ? { bits: read('u32') } : {}),
        statistics: write('vec2f'),
      },
      declarations: [
        ...[SPEC, NUMBERS, PROBABILITIES],
        masked ? BITS : '',
        together('largest_of_all', 'vec2f', threads, 'max(a, b)'),
        together('sum_of_all', 'f32', threads, 'a + b'),
        scoresAt(masked),
      ].join(''),
      body: /* wgsl */ `
  let row = i32(group);
  let entries = rows[row].entries;
  // The largest number, and whether there is any NaN.
  var own = vec2f(minus_infinity(), 0);
  for (var entry = 4 * i32(lane); entry < entries; entry += ${4 * threads}) {
    let scores = scores_at(row, entry, entries);
    let numbers = without_nans(scores);
    own.x = max(own.x, max(max(numbers.x, numbers.y), max(numbers.z, numbers.w)));
    if (any(are_nan(scores))) { own.y = 1; }
  }
  let largest = largest_of_all(lane, own);
  var sum = 0.0;
  for (var entry = 4 * i32(lane); entry < entries; entry += ${4 * threads}) {
    sum += dot(powers(scores_at(row, entry, entries), largest.x), vec4f(1));
  }
  sum = sum_of_all(lane, sum);
  if (lane > 0) { return; }
  if (is_minus_infinity(largest.x)) { statistics[row] = vec2f(); }
  else { statistics[row] = vec2f(largest.x, select(1 / sum, -1, largest.y > 0)); }`,
    }),
);

/** Four raw scores of a row, -Infinity where there is none. */
const scoresAt = (masked: boolean): string => /* wgsl */ `
fn scores_at(row: i32, entry: i32, entries: i32) -> vec4f {
  var counts = vec4i(entry) + vec4i(0, 1, 2, 3) < vec4i(entries);
  ${masked ? 'counts &= are_candidates(row, entry);' : ''}
  return select(vec4f(minus_infinity()), raw[(row * word(ENTRIES) + entry) / 4], counts);
}
`;

/** WGSL that makes probabilities of raw scores by the statistics of their row. */
export const PROBABILITIES = /* wgsl */ `
fn is_minus_infinity(x: f32) -> bool { return bitcast<u32>(x) == (INFINITY_BITS | 0x80000000u); }

// e^(x - largest); e^-120 is 0.
fn powers(x: vec4f, largest: f32) -> vec4f {
  if (bitcast<u32>(largest) == INFINITY_BITS) {
    return select(vec4f(), vec4f(1), bitcast<vec4u>(x) == vec4u(INFINITY_BITS));
  }
  return exp(max(x - largest, vec4f(-120)));
}

fn probabilities(x: vec4f, row: vec2f) -> vec4f {
  if (row.y < 0) { return vec4f(minus_infinity()); }
  if (row.y == 0) { return vec4f(); }
  return row.y * powers(x, row.x);
}
`;
