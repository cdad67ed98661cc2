import { LANES } from '../lanes/block';
import { exp2, exp2Scalar, horizontalMax, horizontalSum } from '../simd';

/**
 * Online softmax of a row of logits, in base 2: the queries carry `scale * log2 e`. The row's state is that of a lane
 * (see lanes/softmax.ts).
 */

/**
 * Turns one row of `columns` (a multiple of 8) logits into weights and takes them into the state; what the row has
 * gathered so far, `output[width]`, is scaled down when a larger logit comes.
 */
export function softmaxRow(
  strip: usize,
  columns: i32,
  state: usize,
  output: usize,
  width: i32,
): void {
  const end = strip + (columns << 2);
  const before = load<f32>(state);
  const largest = max<f32>(before, rowMax(strip, end));
  if (abs<f32>(largest) === Infinity) {
    infinite(strip, end, largest, before, state, output, width);
    return;
  }
  if (largest > before) rescale(exp2Scalar(before - largest), largest, state, output, width);
  const shift = f32x4.splat(largest);
  let sum0 = f32x4.splat(0);
  let sum1 = f32x4.splat(0);
  for (let at = strip; at < end; at += 32) {
    const a = exp2(f32x4.sub(v128.load(at), shift));
    const b = exp2(f32x4.sub(v128.load(at, 16), shift));
    v128.store(at, a);
    v128.store(at, b, 16);
    sum0 = f32x4.add(sum0, a);
    sum1 = f32x4.add(sum1, b);
  }
  store<f32>(state, load<f32>(state, LANES) + horizontalSum(f32x4.add(sum0, sum1)), LANES);
}

/** NaN is passed over. */
function rowMax(strip: usize, end: usize): f32 {
  let a = f32x4.splat(-Infinity);
  let b = a;
  for (let at = strip; at < end; at += 32) {
    a = f32x4.pmax(a, v128.load(at));
    b = f32x4.pmax(b, v128.load(at, 16));
  }
  return horizontalMax(f32x4.pmax(a, b));
}

function rescale(factor: f32, largest: f32, state: usize, output: usize, width: i32): void {
  store<f32>(state, largest);
  store<f32>(state, load<f32>(state, LANES) * factor, LANES);
  const factors = f32x4.splat(factor);
  for (const end = output + (width << 2); output < end; output += 16) {
    v128.store(output, f32x4.mul(v128.load(output), factors));
  }
}

/** Nothing but -Infinity: no weight. A logit of +Infinity takes all the mass, shared with its equals. */
function infinite(
  strip: usize,
  end: usize,
  largest: f32,
  before: f32,
  state: usize,
  output: usize,
  width: i32,
): void {
  if (largest > before) rescale(0, largest, state, output, width);
  let sum: f32 = 0;
  for (let at = strip; at < end; at += 4) {
    const logit = load<f32>(at);
    const weight: f32 = largest > 0 && logit === largest ? 1 : logit !== logit ? logit : 0;
    store<f32>(at, weight);
    sum += weight;
  }
  store<f32>(state, load<f32>(state, LANES) + sum, LANES);
}
