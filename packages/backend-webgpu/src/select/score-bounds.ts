import { type Kernel, kernel, read, write } from '../device/kernel.js';
import { channels } from './channels.js';
import { fourRows, product, queryRows, range, zeroSums } from './product.js';
import { candidates, place, type Scoring, scoringText, store } from './tile.js';

/**
 * A kernel that scores by `Σ_d max(q_d min_d, q_d max_d)`, as the product of `[max(q, 0), min(q, 0)]` and
 * `[max, min]`.
 *
 * An infinite bound times the 0 of the other sign is NaN there, and `max` may hide a NaN. It is rare that any channel
 * is infinite or NaN; then all scores of the thread are added up anew as they are defined, with a look at each product.
 */
export function boundsKernel(scoring: Scoring): Kernel {
  const { dtype, whole, rows, masked, quads, isPart } = scoring;
  const [query, minima, maxima] = [
    channels('query', 'f32', whole),
    channels('minima', dtype, whole),
    channels('maxima', scoring.maxima, whole),
  ];
  const which = isPart ? 'bound' : undefined;
  return kernel({
    name: 'select: score bounds',
    enable: quads ? ['subgroups'] : [],
    buffers: {
      rows: read('Row'),
      query: query.use,
      minima: minima.use,
      maxima: maxima.use,
      ...(masked ? { bits: read('u32') } : {}),
      raw: write('vec4f'),
    },
    declarations: `${scoringText(isPart)}${candidates(masked)}${query.source}${minima.source}${maxima.source}${BOUNDS}`,
    body: /* wgsl */ `${place(scoring, rows)}
  ${queryRows(scoring, (i) => `query_of(rows[min(first + ${i}, last)])`)}
  let minima_rows = four_at(word(KEYS), KEYS_FIRST, row, entry);
  let maxima_rows = four_at(word(MAXIMA), MAXIMA_FIRST, row, entry);
  ${isPart ? BOTH_BOUND : ''}
  ${zeroSums(scoring)}
  ${product(scoring, {
    step: 'let bounds = bounds_of(minima_rows, maxima_rows, d);',
    term: 'max(q, vec4f()) * bounds.high + min(q, vec4f()) * bounds.low',
    read: 'watched_query',
  })}
  ${quads ? QUAD_WATCHES : ''}
  if (any(largest >= vec4u(INFINITY_BITS))) {
    for (var i = 0; i <= last - first; i++) {
      let scores = carefully(query_of(rows[first + i]), minima_rows, maxima_rows);
      ${store('i', 'scores', which)}
    }
    return;
  }
  ${range(rows)
    .map((r) => store(r, `sum${r}`, which))
    .join('')}`,
  });
}

const BOTH_BOUND = /* wgsl */ `let bound =
    are_bound(word(KEYS), KEYS_FIRST, row, entry) & are_bound(word(MAXIMA), MAXIMA_FIRST, row, entry);`;

/** Each lane of a quad has read queries for all. */
const QUAD_WATCHES = /* wgsl */ `@diagnostic(off, subgroup_uniformity) {
    largest = max(largest, quadSwapX(largest));
    largest = max(largest, quadSwapY(largest));
  }`;

const BOUNDS = /* wgsl */ `
// The bits of the largest channels that this thread has read.
var<private> largest: vec4u;

fn watched(x: vec4f) -> vec4f {
  largest = max(largest, size_bits(x));
  return x;
}
fn watched_query(row: u32, d: u32) -> vec4f { return watched(query_channels(row, d)); }
fn watched_minimum(row: u32, d: u32) -> vec4f { return watched(minima_channels(row, d)); }
fn watched_maximum(row: u32, d: u32) -> vec4f { return watched(maxima_channels(row, d)); }

// Channels d to d + 3 of four blocks, whichever bound is which.
struct Bounds { low: mat4x4f, high: mat4x4f }
fn bounds_of(minima: vec4u, maxima: vec4u, d: u32) -> Bounds {
  let a = ${fourRows('minima', 'watched_minimum')};
  let b = ${fourRows('maxima', 'watched_maximum')};
  return Bounds(
    mat4x4f(min(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]), min(a[3], b[3])),
    mat4x4f(max(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])),
  );
}

fn carefully(query: u32, minima: vec4u, maxima: vec4u) -> vec4f {
  var scores = vec4f();
  for (var i = 0; i < 4; i++) { scores[i] = careful(query, minima[i], maxima[i]); }
  return scores;
}
fn careful(row: u32, minimum: u32, maximum: u32) -> f32 {
  var sum = 0.0;
  for (var d = 0u; d < width(); d += 4u) {
    let q = query_channels(row, d);
    let a = q * minima_channels(minimum, d);
    let b = q * maxima_channels(maximum, d);
    if (any(are_nan(a) | are_nan(b))) { return minus_infinity(); }
    sum += dot(max(a, b), vec4f(1));
  }
  return sum;
}
`;
