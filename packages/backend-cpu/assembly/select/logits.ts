import { dots } from '../dots';
import { multiplyLanes, packLanes } from '../lanes/product';
import { pointer, real, word } from '../layout';
import { softcapAll } from '../math';
import { boundRow, splitBound } from './bounds';
import { multiplyCodes } from './codes';
import { recordAt, ROW_INFINITE } from './rows';
import {
  BOUNDS,
  CHUNK,
  DEPTH,
  INNER,
  KIND,
  RELU,
  SCALE,
  SOFTCAP,
  SPLIT_BOUNDS,
  STRIP,
} from './spec';
import {
  CODED_ROWS,
  INFINITE,
  KEY_ROWS,
  LANE_SCORES,
  LANED_ROWS,
  LOGITS,
  MAXIMUM_ROWS,
  PANELS,
  QUERIES,
  region,
  ROW_WEIGHTS,
  ROWS,
  setWord,
} from './work';

/** Scores of rows `[first, first + rows)` against the `count` keys of a strip (a multiple of 4), to LOGITS. */
export function scoreChunk(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const kind = word(spec, KIND);
  const inner = word(spec, INNER);
  const out = region(spec, work, LOGITS);
  const pitch = word(spec, STRIP) << 2;
  if (kind === BOUNDS) return boundRows(spec, work, first, rows, count);
  if (word(work, CODED_ROWS)) multiplyCodes(spec, work, first * inner, rows * inner, count);
  else multiply(spec, work, first, rows * inner, count);
  if (kind === SPLIT_BOUNDS) redoInfinite(spec, work, first, rows, count);
  else if (kind === RELU) weighRows(spec, work, first, rows, count);
  else if (real(spec, SOFTCAP) > 0) {
    for (let r = 0; r < rows; r++) {
      const row = out + r * pitch;
      softcapAll(row, row + (count << 2), real(spec, SOFTCAP), 1);
    }
  }
}

/** Rows from which on it pays to lay them side by side. */
const LANED: i32 = 7;

/** Lays the rows at hand out for {@link scoreChunk}, a chunk at a time. */
export function packRows(spec: usize, work: usize): void {
  const inner = word(spec, INNER);
  const depth = word(spec, DEPTH);
  const chunk = word(spec, CHUNK);
  const rows = word(work, ROWS);
  const laned = word(spec, KIND) !== BOUNDS && !word(work, CODED_ROWS) && rows * inner >= LANED;
  setWord(work, LANED_ROWS, i32(laned));
  if (!laned) return;
  for (let first = 0; first < rows; first += chunk) {
    const queries = region(spec, work, QUERIES) + ((first * inner * depth) << 2);
    packLanes(queries, min(chunk, rows - first) * inner, depth, panelsAt(spec, work, first));
  }
}

/** Where the panels of the chunk begin whose first row is `first`. */
function panelsAt(spec: usize, work: usize, first: i32): usize {
  const chunk = word(spec, CHUNK);
  const whole = (chunk * word(spec, INNER) + 7) & ~7;
  return region(spec, work, PANELS) + (((first / chunk) * whole * word(spec, DEPTH)) << 2);
}

/** @param rows of the matrix product */
function multiply(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const depth = word(spec, DEPTH);
  const keys = region(spec, work, KEY_ROWS);
  const out = region(spec, work, LOGITS);
  const pitch = word(spec, STRIP) << 2;
  const scale = real(spec, SCALE);
  if (word(work, LANED_ROWS)) {
    const panels = panelsAt(spec, work, first);
    const spare = region(spec, work, LANE_SCORES);
    multiplyLanes(panels, rows, depth, keys, count, out, pitch, scale, spare);
  } else {
    const queries = region(spec, work, QUERIES) + ((first * word(spec, INNER) * depth) << 2);
    dots(queries, rows, depth, keys, count, out, pitch, scale);
  }
}

function boundRows(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const bytes = word(spec, DEPTH) << 2;
  const queries = region(spec, work, QUERIES) + first * bytes;
  const pitch = word(spec, STRIP) << 2;
  const lows = region(spec, work, KEY_ROWS);
  const highs = region(spec, work, MAXIMUM_ROWS);
  const out = region(spec, work, LOGITS);
  for (let r = 0; r < rows; r++) {
    boundRow(queries + r * bytes, bytes, lows, highs, count, out + r * pitch);
  }
}

/** Does bounds over where the key or the row has an infinite channel. */
function redoInfinite(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const listed = region(spec, work, MAXIMUM_ROWS);
  for (let r = 0; r < rows; r++) {
    if (word(recordAt(spec, work, first + r), ROW_INFINITE)) {
      for (let j = 0; j < count; j++) redoBound(spec, work, first + r, r, j);
    } else {
      for (let i = 0; i < word(work, INFINITE); i++) {
        redoBound(spec, work, first + r, r, word(listed, i));
      }
    }
  }
}

/** The score of a row, the `r`th of the chunk, and key `j` of the strip. */
function redoBound(spec: usize, work: usize, row: i32, r: i32, j: i32): void {
  const bytes = word(spec, DEPTH) << 2;
  const query = region(spec, work, QUERIES) + row * bytes;
  const key = pointer(region(spec, work, KEY_ROWS), j);
  const out = region(spec, work, LOGITS) + ((r * word(spec, STRIP) + j) << 2);
  store<f32>(out, splitBound(query, bytes >> 1, key));
}

function weighRows(spec: usize, work: usize, first: i32, rows: i32, count: i32): void {
  const inner = word(spec, INNER);
  const pitch = word(spec, STRIP) << 2;
  const out = region(spec, work, LOGITS);
  const weights = region(spec, work, ROW_WEIGHTS) + ((first * inner) << 2);
  for (let r = 0; r < rows; r++) {
    const logits = out + r * inner * pitch;
    weigh(logits, pitch, inner, weights + ((r * inner) << 2), count, out + r * pitch);
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
