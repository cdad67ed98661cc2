import { decodeRow } from './convert';
import { F32, nextTask, pointer, word } from './layout';
import { exp } from './math';
import { dots } from './dots';

/** `activation(x · weightᵀ + bias)`: rows of `x` are scored against the rows of the weight. */

// Activations: 0 none, 1 relu, 2 sigmoid, 3 silu.
const RELU: i32 = 1;
const SILU: i32 = 3;

/** Bytes of 64 columns of a row, the most that a task has. */
const STRIP: i32 = 256;

const ROWS: i32 = 3;
const WIDTH: i32 = 4;
const OUT_WIDTH: i32 = 6;
const COLUMNS: i32 = 12;
const HEADS: i32 = 14;
const HEAD_ROWS: i32 = 15;

/**
 * Kernel: a task is some columns (a multiple of 4, at most 64) of a share of the rows. x, bias and output are f32.
 * [next, total, rows of a task, rows, width, x, outWidth, weight, dtype, rowBytes, bias or 0, activation, columns of a
 * task, output, heads of the bias, rows of a head]
 */
export function linear(desc: usize, scratch: usize): void {
  const share = word(desc, 2);
  const shares = (word(desc, ROWS) + share - 1) / share;
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const first = (task % shares) * share;
    const end = min(word(desc, ROWS), first + share);
    const column = (task / shares) * word(desc, COLUMNS);
    const columns = min(word(desc, COLUMNS), word(desc, OUT_WIDTH) - column);
    const strips = gatherWeights(desc, column, columns, scratch);
    for (let row = first; row < end; row += 2) {
      multiplyPair(desc, row, min(2, end - row), column, columns, scratch, strips);
    }
  }
}

/** Addresses of the weight rows, those rows decoded, two strips, two rows of x. */
export function linearScratch(width: i32, columns: i32): i32 {
  return STRIP + 2 * STRIP + (columns + 2) * (whole(width) << 2);
}

/** A row's width up to a whole vector. */
function whole(width: i32): i32 {
  return (width + 3) & ~3;
}

/** Addresses of weight rows that {@link dots} can read; returns where free scratch begins. */
function gatherWeights(desc: usize, column: i32, columns: i32, scratch: usize): usize {
  const width = word(desc, WIDTH);
  const dtype = word(desc, 8);
  const bytes = whole(width) << 2;
  const decoded = scratch + STRIP;
  for (let i = 0; i < columns; i++) {
    let row = pointer(desc, 7) + <usize>(column + i) * word(desc, 9);
    if (dtype !== F32 || bytes !== width << 2) row = padded(row, dtype, width, decoded + i * bytes);
    store<u32>(scratch + (i << 2), <u32>row);
  }
  const last = load<u32>(scratch + ((columns - 1) << 2));
  for (let i = columns; i & 3; i++) store<u32>(scratch + (i << 2), last);
  return decoded + columns * bytes;
}

/** A row as f32 in `target`, with zeros up to a whole vector. */
function padded(row: usize, dtype: i32, width: i32, target: usize): usize {
  decodeRow(row, dtype, 0, width, target);
  for (let d = width; d < whole(width); d++) store<f32>(target + (d << 2), 0);
  return target;
}

function multiplyPair(
  desc: usize,
  row: i32,
  count: i32,
  column: i32,
  columns: i32,
  weights: usize,
  strips: usize,
): void {
  const width = word(desc, WIDTH);
  const bytes = whole(width) << 2;
  let x = pointer(desc, 5) + <usize>row * (width << 2);
  if (bytes !== width << 2) {
    const copies = strips + 2 * STRIP;
    for (let r = 0; r < count; r++) padded(x + r * (width << 2), F32, width, copies + r * bytes);
    x = copies;
  }
  dots(x, count, whole(width), weights, (columns + 3) & ~3, strips, STRIP, 1);
  for (let r = 0; r < count; r++) finish(desc, strips + r * STRIP, row + r, column, columns);
}

/** Bias and activation on a strip, and into the output. */
function finish(desc: usize, strip: usize, row: i32, column: i32, columns: i32): void {
  if (pointer(desc, 10)) {
    const bias = biasOf(desc, row) + (column << 2);
    for (let i = 0; i < columns; i++) {
      const at = strip + (i << 2);
      store<f32>(at, load<f32>(at) + load<f32>(bias + (i << 2)));
    }
  }
  const activation = word(desc, 11);
  if (activation) {
    for (let i = 0; i < columns; i += 4) activate(activation, strip + (i << 2));
  }
  const target = pointer(desc, 13) + ((<usize>row * word(desc, OUT_WIDTH) + column) << 2);
  memory.copy(target, strip, columns << 2);
}

/** The bias of a row's head, or of all. */
function biasOf(desc: usize, row: i32): usize {
  const head = (row / word(desc, HEAD_ROWS)) % word(desc, HEADS);
  return pointer(desc, 10) + ((head * word(desc, OUT_WIDTH)) << 2);
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
