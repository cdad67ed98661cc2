import { decodeRow } from './convert';
import { multiplyKeys, STRIP, TILE } from './gemm';
import { F32, nextTask, pointer, word } from './layout';
import { exp } from './math';
import { packKeys } from './pack';
import { horizontalSum, madd } from './simd';

/**
 * `activation(x · weightᵀ + bias)`. The matrix product is that of attention's logits: rows of `x` four at a time
 * against panels of weight rows. Fewer than four rows are not worth packing a panel: they are dot products.
 */

const RELU: i32 = 1;
const SIGMOID: i32 = 2;
const SILU: i32 = 3;

// [next, total, rows of a task, rows, width, x, outWidth, weight, dtype, rowBytes, bias or 0, activation, output]
const ROWS: i32 = 3;
const WIDTH: i32 = 4;
const X: i32 = 5;
const OUT_WIDTH: i32 = 6;

/**
 * Kernel: a task is {@link TILE} columns of a share of the rows. x, bias and output are f32.
 * Scratch: see {@link linearScratch}.
 */
export function linear(desc: usize, scratch: usize): void {
  const share = word(desc, 2);
  const shares = (word(desc, ROWS) + share - 1) / share;
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const first = (task % shares) * share;
    const end = min(word(desc, ROWS), first + share);
    const column = (task / shares) * TILE;
    const columns = min(TILE, word(desc, OUT_WIDTH) - column);
    if (end - first < 4) multiplyRows(desc, first, end, column, columns, scratch);
    else multiplyTile(desc, first, end, column, columns, scratch);
  }
}

/** Addresses of the weight rows, those rows decoded, their panels, four packed rows of x, four strips. */
export function linearScratch(width: i32): usize {
  return 8 * TILE + 2 * ((<usize>TILE * width) << 2) + ((<usize>width) << 4) + 4 * STRIP;
}

function multiplyTile(
  desc: usize,
  first: i32,
  end: i32,
  column: i32,
  columns: i32,
  scratch: usize,
): void {
  const width = word(desc, WIDTH);
  const panels = gatherWeights(desc, column, columns, scratch);
  const packed = panels + ((TILE * width) << 2);
  const strips = packed + (width << 4);
  packKeys(scratch, columns, width, panels);
  for (let row = first; row < end; row += 4) {
    packRows(desc, row, end, packed);
    multiplyKeys(packed, panels, width, columns, strips);
    for (let r = row; r < min(end, row + 4); r++)
      finish(desc, strips + (r - row) * STRIP, r, column, columns);
  }
}

/** Addresses of weight rows as f32, decoded where they are not; returns where free scratch begins. */
function gatherWeights(desc: usize, column: i32, columns: i32, scratch: usize): usize {
  const width = word(desc, WIDTH);
  const dtype = word(desc, 8);
  const decoded = scratch + 8 * TILE;
  for (let i = 0; i < columns; i++) {
    let row = pointer(desc, 7) + <usize>(column + i) * word(desc, 9);
    if (dtype !== F32) {
      const target = decoded + ((i * width) << 2);
      decodeRow(row, dtype, 0, width, target);
      row = target;
    }
    store<u32>(scratch + (i << 2), <u32>row);
  }
  return decoded + ((TILE * width) << 2);
}

/** Four rows of x as `[width][4]`, the last one again where there are fewer. */
function packRows(desc: usize, row: i32, end: i32, target: usize): void {
  const width = word(desc, WIDTH);
  for (let r = 0; r < 4; r++) {
    const source = pointer(desc, X) + <usize>min(row + r, end - 1) * (width << 2);
    for (let d = 0; d < width; d++)
      store<f32>(target + (d << 4) + (r << 2), load<f32>(source + (d << 2)));
  }
}

/** Few rows: each weight row is read once for all of them. */
function multiplyRows(
  desc: usize,
  first: i32,
  end: i32,
  column: i32,
  columns: i32,
  scratch: usize,
): void {
  const width = word(desc, WIDTH);
  const strips = gatherWeights(desc, column, columns, scratch);
  for (let i = 0; i < columns; i++) {
    const weight = <usize>load<u32>(scratch + (i << 2));
    for (let row = first; row < end; row++) {
      const x = pointer(desc, X) + <usize>row * (width << 2);
      store<f32>(strips + (row - first) * STRIP + (i << 2), dot(x, weight, width));
    }
  }
  for (let row = first; row < end; row++)
    finish(desc, strips + (row - first) * STRIP, row, column, columns);
}

/** Four chains of sums, so that additions do not wait for each other. */
function dot(a: usize, b: usize, width: i32): f32 {
  let s0 = f32x4.splat(0);
  let s1 = f32x4.splat(0);
  let s2 = f32x4.splat(0);
  let s3 = f32x4.splat(0);
  const end = a + ((width & ~15) << 2);
  for (; a < end; a += 64) {
    s0 = madd(v128.load(a), v128.load(b), s0);
    s1 = madd(v128.load(a, 16), v128.load(b, 16), s1);
    s2 = madd(v128.load(a, 32), v128.load(b, 32), s2);
    s3 = madd(v128.load(a, 48), v128.load(b, 48), s3);
    b += 64;
  }
  let sum = horizontalSum(f32x4.add(f32x4.add(s0, s1), f32x4.add(s2, s3)));
  for (let i = 0; i < (width & 15); i++) sum += load<f32>(a + (i << 2)) * load<f32>(b + (i << 2));
  return sum;
}

/** Bias and activation on a strip (its {@link TILE} places, whatever the last hold), and into the output. */
function finish(desc: usize, strip: usize, row: i32, column: i32, columns: i32): void {
  const bias = pointer(desc, 10);
  if (bias) {
    for (let i = 0; i < columns; i++) {
      const at = strip + (i << 2);
      store<f32>(at, load<f32>(at) + load<f32>(bias + ((column + i) << 2)));
    }
  }
  const activation = word(desc, 11);
  if (activation) for (let at = strip; at < strip + STRIP; at += 16) activate(activation, at);
  const target = pointer(desc, 12) + ((<usize>row * word(desc, OUT_WIDTH) + column) << 2);
  memory.copy(target, strip, columns << 2);
}

function activate(activation: i32, at: usize): void {
  const x = v128.load(at);
  if (activation === RELU) {
    v128.store(at, f32x4.max(x, f32x4.splat(0)));
    return;
  }
  const numerator = activation === SILU ? x : f32x4.splat(1);
  v128.store(at, f32x4.div(numerator, f32x4.add(f32x4.splat(1), exp(f32x4.neg(x)))));
}
