/** A number, and the interval it lies in with 95 % confidence. */
export interface Estimate {
  readonly value: number;
  readonly low: number;
  readonly high: number;
}

/** Standard deviations to both sides that hold 95 % of a normal distribution. */
const Z = 1.959964;

/** `-log softmax(logits)[id]`, in nats. */
export function lossOf(logits: Float32Array, id: number): number {
  return logSumExp(logits) - logits[id];
}

/** `KL(p ‖ q)` in nats, of the distributions that two sets of logits stand for. */
export function divergence(p: Float32Array, q: Float32Array): number {
  const [ofP, ofQ] = [logSumExp(p), logSumExp(q)];
  let sum = 0;
  for (let i = 0; i < p.length; i++) {
    const log = p[i] - ofP;
    sum += Math.exp(log) * (log - (q[i] - ofQ));
  }
  return Math.max(0, sum); // rounding may leave a hair less than nothing
}

export function logSumExp(logits: Float32Array): number {
  let largest = -Infinity;
  for (const logit of logits) if (logit > largest) largest = logit;
  let sum = 0;
  for (const logit of logits) sum += Math.exp(logit - largest);
  return largest + Math.log(sum);
}

/** The index of the largest; of equal ones the first. */
export function argmax(logits: Float32Array): number {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** A share of cases with Wilson's interval, which is sensible near 0 and 1 and for few cases. */
export function wilson(found: number, cases: number): Estimate {
  const value = found / cases;
  const spread = Z * Math.sqrt((value * (1 - value)) / cases + (Z / (2 * cases)) ** 2);
  const [middle, whole] = [value + Z ** 2 / (2 * cases), 1 + Z ** 2 / cases];
  // at the ends the interval begins with the value itself, rounding aside
  const low = found === 0 ? 0 : (middle - spread) / whole;
  const high = found === cases ? 1 : (middle + spread) / whole;
  return { value, low, high };
}

/** A mean with the normal interval of its standard error; of one value the interval is all numbers. */
export function meanOf(values: ArrayLike<number>): Estimate {
  const count = values.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += values[i];
  const value = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (values[i] - value) ** 2;
  const error = count > 1 ? Z * Math.sqrt(squares / (count - 1) / count) : Infinity;
  return { value, low: value - error, high: value + error };
}

/**
 * Perplexity over another's, less 1, of losses of the same tokens: pairs cancel what makes some tokens harder than
 * others, so that the interval is of the change and not of the text.
 */
export function perplexityChange(losses: Float64Array, than: Float64Array): Estimate {
  const { value, low, high } = meanOf(losses.map((loss, i) => loss - than[i]));
  return { value: Math.expm1(value), low: Math.expm1(low), high: Math.expm1(high) };
}
