import { STRIP } from './gemm';
import { exp2, exp2Scalar, horizontalMax, horizontalSum, LOG2E } from './simd';

/**
 * Online softmax over strips of logits, in base 2: the queries carry `scale * log2 e`. A row's state is
 * `[largest logit so far, sum of 2^(logit - largest)]`.
 */

export function resetState(state: usize, rows: i32): void {
  for (let r = 0; r < rows; r++) {
    store<f32>(state + (r << 3), -Infinity);
    store<f32>(state + (r << 3), 0, 4);
  }
}

/**
 * Turns one row of `columns` (a multiple of 8) logits into weights and takes them into the state; what the row has
 * gathered so far, 8 of every 32 floats of `output` (see `addValues`), is scaled down when a larger logit comes.
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
  store<f32>(state, load<f32>(state, 4) + horizontalSum(f32x4.add(sum0, sum1)), 4);
}

function rowMax(strip: usize, end: usize): f32 {
  let a = v128.load(strip);
  let b = v128.load(strip, 16);
  for (let at = strip + 32; at < end; at += 32) {
    a = f32x4.pmax(a, v128.load(at));
    b = f32x4.pmax(b, v128.load(at, 16));
  }
  return horizontalMax(f32x4.pmax(a, b));
}

function rescale(factor: f32, largest: f32, state: usize, output: usize, width: i32): void {
  store<f32>(state, largest);
  store<f32>(state, load<f32>(state, 4) * factor, 4);
  const factors = f32x4.splat(factor);
  for (let column = 0; column < width; column += 8) {
    v128.store(output, f32x4.mul(v128.load(output), factors));
    v128.store(output, f32x4.mul(v128.load(output, 16), factors), 16);
    output += 128;
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
    const weight: f32 = largest > 0 && load<f32>(at) === largest ? 1 : 0;
    store<f32>(at, weight);
    sum += weight;
  }
  store<f32>(state, load<f32>(state, 4) + sum, 4);
}

/** `softcap * tanh(logit / softcap)` on a strip of four rows, into base 2. */
export function softcapStrip(strip: usize, columns: i32, softcap: f32): void {
  const toBase2 = f32x4.splat(softcap * LOG2E);
  const exponent = f32x4.splat((-2 * LOG2E) / softcap);
  const one = f32x4.splat(1);
  for (let r = 0; r < 4; r++) {
    const row = strip + r * STRIP;
    for (let at = row; at < row + (columns << 2); at += 16) {
      const logit = v128.load(at);
      const decay = exp2(f32x4.mul(f32x4.abs(logit), exponent));
      const tanh = f32x4.div(f32x4.sub(one, decay), f32x4.add(one, decay));
      const sign = v128.and(logit, i32x4.splat(0x80000000));
      v128.store(at, f32x4.mul(v128.or(tanh, sign), toBase2));
    }
  }
}
