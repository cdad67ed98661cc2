/**
 * What f16 arithmetic would cost in accuracy, emulated: attention over normal numbers whose keys and values are stored
 * in f16, its products q · k summed in f32 (what the WebGPU backend does), four at a time in f16, or in f16 throughout.
 *
 *     node tools/half-products.js
 *
 * See docs/decisions/2026-11-30-no-half-arithmetic.md.
 */

/**
 * To the nearest f16, ties to even.
 *
 * @param {number} x
 */
function half(x) {
  const size = Math.abs(x);
  if (size < 2 ** -14) return roundEven(x * 2 ** 24) / 2 ** 24;
  if (size >= 65_520) return Math.sign(x) * Infinity;
  const step = 2 ** (Math.floor(Math.log2(size)) - 10);
  return roundEven(x / step) * step;
}

/** @param {number} x */
function roundEven(x) {
  const rounded = Math.round(x);
  return Math.abs(x % 1) === 0.5 ? 2 * Math.round(x / 2) : rounded;
}

let state = 1;
function uniform() {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
  return (state + 0.5) / 2 ** 32;
}
const normal = () => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());

/** @typedef {(q: number[], k: number[]) => number} Product */

/** @type {Record<string, Product>} */
const PRODUCTS = {
  exact: (q, k) => q.reduce((sum, x, d) => sum + x * k[d], 0),
  'four in f16': (q, k) => {
    let sum = 0;
    for (let d = 0; d < q.length; d += 4) {
      let four = 0;
      for (let i = d; i < d + 4; i++) four = half(four + half(q[i]) * k[i]);
      sum += four;
    }
    return sum;
  },
  'all in f16': (q, k) => q.reduce((sum, x, d) => half(sum + half(x) * k[d]), 0),
};

/**
 * @param {number[]} query
 * @param {number[][]} keys
 * @param {number[][]} values
 * @param {Product} product
 */
function attend(query, keys, values, product) {
  const logits = keys.map((key) => product(query, key) / Math.sqrt(query.length));
  const most = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return values[0].map((_, d) => weights.reduce((sum, w, t) => sum + w * values[t][d], 0) / total);
}

/**
 * `‖actual - expected‖ / ‖expected‖` over 32 queries.
 *
 * @param {number} tokens
 * @param {number} width
 * @param {number} deviation of queries and keys
 */
function errors(tokens, width, deviation) {
  const rows = (/** @type {number} */ count, /** @type {number} */ scale) =>
    Array.from({ length: count }, () => Array.from({ length: width }, () => scale * normal()));
  const [queries, keys, values] = [rows(32, deviation), rows(tokens, deviation), rows(tokens, 1)];
  const stored = (/** @type {number[][]} */ given) => given.map((row) => row.map(half));
  const [storedKeys, storedValues] = [stored(keys), stored(values)];
  const expected = queries.flatMap((query) => attend(query, keys, values, PRODUCTS.exact));
  const norm = Math.hypot(...expected);
  return Object.entries(PRODUCTS).map(([name, product]) => {
    const actual = queries.flatMap((query) => attend(query, storedKeys, storedValues, product));
    const error = Math.hypot(...actual.map((x, i) => x - expected[i])) / norm;
    return [name, error.toExponential(1)];
  });
}

const CASES = [
  [512, 64, 1],
  [2048, 64, 1],
  [2048, 128, 1],
  [2048, 64, 2.5],
];
console.table(
  CASES.map(([tokens, width, deviation]) => ({
    ...{ tokens, width, deviation },
    ...Object.fromEntries(errors(tokens, width, deviation)),
  })),
);
