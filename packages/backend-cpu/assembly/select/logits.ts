import { real, word } from '../layout';
import { exp2 } from '../simd';
import { boundRow, redoInfinite } from './bounds';
import { dots } from '../dots';
import { BOUNDS, DEPTH, INNER, KIND, RELU, SCALE, SOFTCAP, SPLIT_BOUNDS, STRIP } from './spec';
import { INFINITE, KEY_ROWS, LOGITS, MAXIMUM_ROWS, QUERIES, region, ROW_WEIGHTS } from './work';

/** Scores of rows `[first, first + rows)` against the `count` keys of a strip (a multiple of 4), to LOGITS. */
export function scoreChunk(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const kind = word(spec, KIND);
  const depth = word(spec, DEPTH);
  const inner = word(spec, INNER);
  const pitch = word(spec, STRIP) << 2;
  const keys = region(spec, work, KEY_ROWS);
  const maxima = region(spec, work, MAXIMUM_ROWS);
  const out = region(spec, work, LOGITS);
  const queries = region(spec, work, QUERIES) + ((first * inner * depth) << 2);
  if (kind === BOUNDS) {
    for (let r = 0; r < rows; r++) {
      boundRow(queries + ((r * depth) << 2), depth << 2, keys, maxima, count, out + r * pitch);
    }
    return;
  }
  dots(queries, rows * inner, depth, keys, count, out, pitch, real(spec, SCALE));
  if (kind === SPLIT_BOUNDS) {
    const infinite = word(work, INFINITE);
    redoInfinite(queries, rows, depth << 1, keys, maxima, infinite, out, pitch);
  } else if (kind === RELU) {
    const weights = region(spec, work, ROW_WEIGHTS) + ((first * inner) << 2);
    for (let r = 0; r < rows; r++) {
      weigh(
        out + r * inner * pitch,
        pitch,
        inner,
        weights + ((r * inner) << 2),
        count,
        out + r * pitch,
      );
    }
  } else if (real(spec, SOFTCAP) > 0) {
    for (let r = 0; r < rows; r++) softcap(out + r * pitch, count, real(spec, SOFTCAP));
  }
}

/** `out = Σ_j weights[j] ReLU(logits[j])`; `out` may be the first of the rows. */
function weigh(
  logits: usize,
  pitch: i32,
  inner: i32,
  weights: usize,
  count: i32,
  out: usize,
): void {
  const zero = f32x4.splat(0);
  const end = weights + (inner << 2);
  for (let column = 0; column < count << 2; column += 16) {
    let sum = zero;
    let logit = logits + column;
    for (let weight = weights; weight < end; weight += 4) {
      const positive = f32x4.pmax(v128.load(logit), zero);
      sum = f32x4.add(sum, f32x4.mul(v128.load32_splat(weight), positive));
      logit += pitch;
    }
    v128.store(out + column, sum);
  }
}

/** `softcap * tanh(logit / softcap)`, by `tanh |x| = (1 - e^-2|x|) / (1 + e^-2|x|)`. */
function softcap(row: usize, count: i32, cap: f32): void {
  const exponent = f32x4.splat(<f32>(-2.0 * Math.LOG2E) / cap);
  const one = f32x4.splat(1);
  for (let at = row; at < row + (count << 2); at += 16) {
    const logit = v128.load(at);
    const decay = exp2(f32x4.mul(f32x4.abs(logit), exponent));
    const tanh = f32x4.div(f32x4.sub(one, decay), f32x4.add(one, decay));
    const sign = v128.and(logit, i32x4.splat(0x80000000));
    v128.store(at, f32x4.mul(v128.or(tanh, sign), f32x4.splat(cap)));
  }
}
