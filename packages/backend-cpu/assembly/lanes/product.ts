import { TILE } from '../tiles';
import { LANES } from './block';
import { scoreLanes } from './score';

/**
 * A matrix product of many rows, eight side by side: what `dots` does for few. All rows have room up to a whole eight;
 * what lies there is of no consequence.
 */

/** Rows `[count][depth]` as panels `[count / 8][depth][8]`; `depth` is a multiple of 4. */
export function packLanes(rows: usize, count: i32, depth: i32, panels: usize): void {
  const bytes = depth << 2;
  for (let r = 0; r < count; r += 8) {
    const row = rows + r * bytes;
    const panel = panels + r * bytes;
    for (let d = 0; d < bytes; d += 16) {
      transpose(row + d, bytes, panel + d * 8, LANES, 1);
      transpose(row + 4 * bytes + d, bytes, panel + d * 8 + 16, LANES, 1);
    }
  }
}

/**
 * `out[r][j] = scale * (rows[r] · keys[j])` for `count` rows in panels and `keyCount` keys, a multiple of 4, by their
 * addresses. Every score is summed in the same order, wherever it stands: equal keys tie.
 *
 * @param pitch bytes from one row of `out` to the next @param spare room for eight rows of a tile
 */
export function multiplyLanes(
  panels: usize,
  count: i32,
  depth: i32,
  keys: usize,
  keyCount: i32,
  out: usize,
  pitch: i32,
  scale: f32,
  spare: usize,
): void {
  for (let key = 0; key < keyCount; key += TILE) {
    const block = min(TILE, keyCount - key);
    for (let r = 0; r < count; r += 8) {
      scoreLanes(panels + ((r * depth) << 2), depth, keys + (key << 2), block, spare);
      spread(spare, block, out + r * pitch + (key << 2), pitch, scale);
    }
  }
}

/** Scores `[count][8]` as eight rows. */
function spread(scores: usize, count: i32, out: usize, pitch: i32, scale: f32): void {
  for (const end = scores + count * LANES; scores < end; scores += 4 * LANES) {
    transpose(scores, LANES, out, pitch, scale);
    transpose(scores + 16, LANES, out + 4 * pitch, pitch, scale);
    out += 16;
  }
}

/** Four rows of four, each `step` bytes from the last, as four columns. @inline */
function transpose(from: usize, step: i32, to: usize, pitch: i32, scale: f32): void {
  const a = v128.load(from);
  const b = v128.load(from + step);
  const c = v128.load(from + 2 * step);
  const d = v128.load(from + 3 * step);
  const abLow = i32x4.shuffle(a, b, 0, 4, 1, 5);
  const abHigh = i32x4.shuffle(a, b, 2, 6, 3, 7);
  const cdLow = i32x4.shuffle(c, d, 0, 4, 1, 5);
  const cdHigh = i32x4.shuffle(c, d, 2, 6, 3, 7);
  const factor = f32x4.splat(scale);
  v128.store(to, f32x4.mul(i64x2.shuffle(abLow, cdLow, 0, 2), factor));
  v128.store(to + pitch, f32x4.mul(i64x2.shuffle(abLow, cdLow, 1, 3), factor));
  v128.store(to + 2 * pitch, f32x4.mul(i64x2.shuffle(abHigh, cdHigh, 0, 2), factor));
  v128.store(to + 3 * pitch, f32x4.mul(i64x2.shuffle(abHigh, cdHigh, 1, 3), factor));
}
