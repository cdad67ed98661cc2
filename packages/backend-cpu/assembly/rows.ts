import { largest } from './convert';
import { nextTask, pointer, word } from './layout';
import { promoteHigh, wholeSteps } from './math';

/** Transforms of rows of f32, each by itself. Sums are f64: a mean must survive being subtracted. */

/**
 * Kernel: `(x - mean) / sqrt(variance + eps) * weight + bias`; the mean is 0 for `rms`.
 * [next, total, rows of a task, rows, width, x, target, weight or 0, bias or 0, layer, eps]
 */
export function normRows(desc: usize): void {
  const share = word(desc, 2);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    for (let row = task * share; row < end; row++) {
      const offset = <usize>row * (word(desc, 4) << 2);
      normRow(desc, pointer(desc, 5) + offset, pointer(desc, 6) + offset);
    }
  }
}

function normRow(desc: usize, row: usize, target: usize): void {
  const width = word(desc, 4);
  const mean = word(desc, 9) ? sum(row, width) / width : 0;
  const variance = sumOfSquares(row, width, mean) / width;
  const factor = <f32>(1.0 / sqrt<f64>(variance + <f64>load<f32>(desc, 40)));
  const whole = width & ~3;
  for (let d = 0; d < whole; d += 4) {
    v128.store(target + (d << 2), normFour(desc, v128.load(row + (d << 2)), d, 4, mean, factor));
  }
  for (let d = whole; d < width; d++) {
    const one = normFour(desc, v128.load32_splat(row + (d << 2)), d, 1, mean, factor);
    store<f32>(target + (d << 2), f32x4.extract_lane(one, 0));
  }
}

/** Channels `d` to `d + 3`, or the first of them. The mean is taken away in two parts, to lose none of it. */
function normFour(desc: usize, x: v128, d: i32, count: i32, mean: f64, factor: f32): v128 {
  const weight = pointer(desc, 7);
  const bias = pointer(desc, 8);
  const high = <f32>mean;
  const low = <f32>(mean - <f64>high);
  const distance = f32x4.sub(f32x4.sub(x, f32x4.splat(high)), f32x4.splat(low));
  let value = f32x4.mul(distance, f32x4.splat(factor));
  if (weight) value = f32x4.mul(value, loadSome(weight + (d << 2), count));
  if (bias) value = f32x4.add(value, loadSome(bias + (d << 2), count));
  return value;
}

/** Four numbers, or one where there are no more. @inline */
function loadSome(at: usize, count: i32): v128 {
  return count === 4 ? v128.load(at) : v128.load32_splat(at);
}

function sum(row: usize, width: i32): f64 {
  let total: f64 = 0;
  for (let d = 0; d < width; d++) total += <f64>load<f32>(row + (d << 2));
  return total;
}

/** Of the differences from `mean`, in two chains of two. */
function sumOfSquares(row: usize, width: i32, mean: f64): f64 {
  const means = f64x2.splat(mean);
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  const whole = width & ~3;
  for (let d = 0; d < whole; d += 4) {
    const four = v128.load(row + (d << 2));
    const a = f64x2.sub(f64x2.promote_low_f32x4(four), means);
    const b = f64x2.sub(promoteHigh(four), means);
    low = f64x2.add(low, f64x2.mul(a, a));
    high = f64x2.add(high, f64x2.mul(b, b));
  }
  low = f64x2.add(low, high);
  let total = f64x2.extract_lane(low, 0) + f64x2.extract_lane(low, 1);
  for (let d = whole; d < width; d++) {
    const difference = <f64>load<f32>(row + (d << 2)) - mean;
    total += difference * difference;
  }
  return total;
}

/**
 * Kernel: pairs of channels turned by `position * frequency`. The angle of position `first + step * n` is that of
 * `n - n % stride` and that of `n % stride`, whose sines and cosines the host has made, [cos, sin] in f64.
 * [next, total, rows of a task, rows, width, x, target, tokens, rows of a batch row, stride, pairs, first channel,
 * distance of the two of a pair, distance of pairs, coarse, fine]
 * Coarse: `[B][tokens / stride, rounded up][pairs]`; fine: `[stride][pairs]`.
 */
export function rotateRows(desc: usize): void {
  const share = word(desc, 2);
  const rowBytes = word(desc, 4) << 2;
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    for (let row = task * share; row < end; row++) {
      const offset = <usize>row * rowBytes;
      memory.copy(pointer(desc, 6) + offset, pointer(desc, 5) + offset, rowBytes);
      rotateRow(desc, row, pointer(desc, 6) + offset + (word(desc, 11) << 2));
    }
  }
}

function rotateRow(desc: usize, row: i32, channels: usize): void {
  const tokens = word(desc, 7);
  const stride = word(desc, 9);
  const pairs = word(desc, 10);
  const across = word(desc, 12) << 2;
  const along = word(desc, 13) << 2;
  const n = row % tokens;
  const steps = (tokens + stride - 1) / stride;
  let coarse = pointer(desc, 14) + ((((row / word(desc, 8)) * steps + n / stride) * pairs) << 4);
  let fine = pointer(desc, 15) + (((n % stride) * pairs) << 4);
  for (let i = 0; i < pairs; i++) {
    const cos = load<f64>(coarse) * load<f64>(fine) - load<f64>(coarse, 8) * load<f64>(fine, 8);
    const sin = load<f64>(coarse, 8) * load<f64>(fine) + load<f64>(coarse) * load<f64>(fine, 8);
    const a = <f64>load<f32>(channels);
    const b = <f64>load<f32>(channels + across);
    store<f32>(channels, <f32>(a * cos - b * sin));
    store<f32>(channels + across, <f32>(a * sin + b * cos));
    channels += along;
    coarse += 16;
    fine += 16;
  }
}

/**
 * Kernel: Sylvester-ordered Hadamard transform, times `factor`. Width: a power of two.
 * [next, total, rows of a task, rows, width, x, target, factor]
 */
export function hadamardRows(desc: usize): void {
  const share = word(desc, 2);
  const rowBytes = word(desc, 4) << 2;
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    for (let row = task * share; row < end; row++) {
      const target = pointer(desc, 6) + <usize>row * rowBytes;
      memory.copy(target, pointer(desc, 5) + <usize>row * rowBytes, rowBytes);
      hadamardRow(target, rowBytes, load<f32>(desc, 28));
    }
  }
}

function hadamardRow(row: usize, bytes: i32, factor: f32): void {
  if (bytes < 16) return hadamardOfTwo(row, bytes, factor);
  const factors = f32x4.splat(factor);
  for (let at = row; at < row + bytes; at += 16) {
    v128.store(at, f32x4.mul(hadamardOfFour(v128.load(at)), factors));
  }
  for (let half = 16; half < bytes; half <<= 1) {
    for (let start = row; start < row + bytes; start += 2 * half) {
      for (let at = start; at < start + half; at += 16) butterfly(at, half);
    }
  }
}

/** Rows of one or two. */
function hadamardOfTwo(row: usize, bytes: i32, factor: f32): void {
  const a = load<f32>(row) * factor;
  const b = bytes === 8 ? load<f32>(row, 4) * factor : 0;
  store<f32>(row, a + b);
  if (bytes === 8) store<f32>(row, a - b, 4);
}

/** The first two steps, inside a vector: neighbours, then pairs. @inline */
function hadamardOfFour(x: v128): v128 {
  const odd = f32x4(1, -1, 1, -1);
  const ones = f32x4.add(i32x4.shuffle(x, x, 1, 0, 3, 2), f32x4.mul(x, odd));
  const upper = f32x4(1, 1, -1, -1);
  return f32x4.add(i32x4.shuffle(ones, ones, 2, 3, 0, 1), f32x4.mul(ones, upper));
}

/** `(a, b)` to `(a + b, a - b)`, four at a time, for what lies `half` bytes apart. @inline */
function butterfly(at: usize, half: i32): void {
  const a = v128.load(at);
  const b = v128.load(at + half);
  v128.store(at, f32x4.add(a, b));
  v128.store(at + half, f32x4.sub(a, b));
}

/**
 * Kernel: rows rounded to few bits and decoded again.
 * [next, total, rows of a task, rows, width, x, target, steps, from the minimum]
 */
export function quantiseRows(desc: usize): void {
  const share = word(desc, 2);
  const width = word(desc, 4);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    for (let row = task * share; row < end; row++) {
      const offset = <usize>row * (width << 2);
      const source = pointer(desc, 5) + offset;
      const target = pointer(desc, 6) + offset;
      const steps = <f64>word(desc, 7);
      if (word(desc, 8)) roundFromMinimum(source, width, steps, target);
      else roundRow(source, width, 0, largest(source, width) / steps, target);
    }
  }
}

function roundFromMinimum(source: usize, width: i32, steps: f64, target: usize): void {
  let low = load<f32>(source);
  let high = low;
  for (let d = 1; d < width; d++) {
    low = min<f32>(low, load<f32>(source + (d << 2)));
    high = max<f32>(high, load<f32>(source + (d << 2)));
  }
  roundRow(source, width, <f64>low, (<f64>high - <f64>low) / steps, target);
}

/** Whole steps from `zero`; a row without extent stays as it is. */
function roundRow(source: usize, width: i32, zero: f64, step: f64, target: usize): void {
  if (step === 0) {
    memory.copy(target, source, width << 2);
    return;
  }
  const whole = width & ~3;
  for (let d = 0; d < whole; d += 4) {
    v128.store(target + (d << 2), roundFour(v128.load(source + (d << 2)), zero, step));
  }
  for (let d = whole; d < width; d++) {
    const one = roundFour(v128.load32_splat(source + (d << 2)), zero, step);
    store<f32>(target + (d << 2), f32x4.extract_lane(one, 0));
  }
}

/** @inline */
function roundFour(x: v128, zero: f64, step: f64): v128 {
  const low = roundTwo(f64x2.promote_low_f32x4(x), zero, step);
  return i64x2.shuffle(low, roundTwo(promoteHigh(x), zero, step), 0, 2);
}

/** @inline */
function roundTwo(x: v128, zero: f64, step: f64): v128 {
  const zeros = f64x2.splat(zero);
  const steps = f64x2.splat(step);
  const rounded = f64x2.mul(steps, wholeSteps(f64x2.sub(x, zeros), steps));
  return f32x4.demote_f64x2_zero(f64x2.add(zeros, rounded));
}
