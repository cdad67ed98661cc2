import { LANES } from '../lanes/block';
import { entriesHeads, pointer, word } from '../layout';

/**
 * What `attend` works on. Descriptor: [next, total, query, heads, tokens, headDim, keys, values | 0 (prefixes of the
 * keys), valueDim, selection, visible, positions, scale, softcap | 0, output, logSumExp, counts, queryBlock, blocks,
 * splits, partial]; `partial` has room for every block and split (see `partialBytes`).
 */
export const QUERY: i32 = 2;
export const HEADS: i32 = 3;
export const TOKENS: i32 = 4;
export const KEYS: i32 = 6;
export const VALUES: i32 = 7;
export const VALUE_DIM: i32 = 8;
export const SELECTION: i32 = 9;
export const VISIBLE: i32 = 10;
export const POSITIONS: i32 = 11;
export const SCALE: i32 = 12;
export const SOFTCAP: i32 = 13;
export const OUTPUT: i32 = 14;
export const LOG_SUM_EXP: i32 = 15;
export const COUNTS: i32 = 16;
export const QUERY_BLOCK: i32 = 17;
export const BLOCKS: i32 = 18;
export const SPLITS: i32 = 19;
export const PARTIAL: i32 = 20;

export function headDimOf(desc: usize): i32 {
  return word(desc, 5);
}
export function kvHeadsOf(desc: usize): i32 {
  return entriesHeads(pointer(desc, KEYS));
}
/** Channels of a query and key, padded to whole vectors. */
export function depthOf(desc: usize): i32 {
  return (headDimOf(desc) + 3) & ~3;
}
/** Query heads that share a kv head. */
export function groupOf(desc: usize): i32 {
  return word(desc, HEADS) / kvHeadsOf(desc);
}
/** Value channels, padded to whole vectors. */
export function paddedOf(desc: usize): i32 {
  return (word(desc, VALUE_DIM) + 3) & ~3;
}

/** Rows of a task that are too few to lie side by side. */
const FEW: i32 = 4;

/** Whether the rows of tasks (queries times heads of the group) follow one another; else eight lie side by side. */
export function areFew(desc: usize): bool {
  return word(desc, QUERY_BLOCK) * groupOf(desc) <= FEW;
}
/** Rows of a task, padded to whole eights. */
export function rowsOf(desc: usize): i32 {
  return (word(desc, QUERY_BLOCK) * groupOf(desc) + 7) & ~7;
}

/** Where row `r` begins in an array `[rows][width]` of f32 or, with eight rows side by side, `[rows / 8][width][8]`. */
export function rowAt(desc: usize, rows: usize, width: i32, r: i32): usize {
  if (areFew(desc)) return rows + ((r * width) << 2);
  return rows + (((r >> 3) * width) << 5) + ((r & 7) << 2);
}
/** Bytes from one number of such a row to the next. */
export function stepOf(desc: usize): i32 {
  return areFew(desc) ? 4 : LANES;
}

/** Row `r` of a task in `[batch, heads, tokens]`: the heads of the group follow one another, query by query. */
export function queryRow(desc: usize, row: i32, kvHead: i32, token: i32, r: i32): i32 {
  const group = groupOf(desc);
  const head = kvHead * group + (r % group);
  return (row * word(desc, HEADS) + head) * word(desc, TOKENS) + token + r / group;
}

/** Where the counts of a batch row and kv head begin. */
export function countsAt(desc: usize, row: i32, kvHead: i32): usize {
  return pointer(desc, COUNTS) + (((row * kvHeadsOf(desc) + kvHead) * word(desc, TOKENS)) << 2);
}
