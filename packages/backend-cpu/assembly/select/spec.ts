/**
 * The words of a selection's descriptors, written by src/select/; the two change together.
 *
 * A *list* is what the queries of a block and the heads that share select together. A *row* is what is scored at a
 * time: a query, or a cell of queries, of one head. A *slot* holds the unit scores of a list or, with `UNION`, of a
 * row. A *wave* is as many lists, or rows of them, as are scored before they are picked from.
 */

/** What the scores are. */
export const KIND: i32 = 0;
export const DOT: i32 = 0;
export const SOFTMAX: i32 = 1;
export const BOUNDS: i32 = 2;
/** Bounds for many rows, as one matrix product: positive channels times maxima, negative ones times minima. */
export const SPLIT_BOUNDS: i32 = 3;
export const RELU: i32 = 4;
export const ANTIDIAGONAL: i32 = 5;

/** f32, [batch, HEADS, TOKENS, WIDTH]. */
export const QUERY: i32 = 1;
export const HEADS: i32 = 2;
export const TOKENS: i32 = 3;
export const WIDTH: i32 = 4;

/** The scored entries; of bounds, the minima. */
export const KEYS: i32 = 5;
export const MAXIMA: i32 = 6;

/** The weights of indexer heads, f32, [batch, HEADS, TOKENS]. */
export const WEIGHTS: i32 = 7;

export const SCALE: i32 = 8;
/** 0: none. */
export const SOFTCAP: i32 = 9;
/** Queries that are scored as one row. */
export const CELL: i32 = 10;
/** Channels of a row of the matrix product, a multiple of 4. */
export const DEPTH: i32 = 11;
/** Rows of the matrix product that make one row: the indexer's heads, or 1. */
export const INNER: i32 = 12;

/** Bounds: which scored entries a query sees, and which of the selected set. */
export const SEEN: i32 = 13;
export const VISIBLE: i32 = 14;
/** The lengths of the selected set. */
export const LENGTHS: i32 = 15;
/** Entries of the selected set that a unit stands for. */
export const BLOCK: i32 = 16;

// Unit j is pooled from entries [stride·j + offset, stride·j + offset + length); without weights: their maximum.
export const POOL_STRIDE: i32 = 17;
export const POOL_OFFSET: i32 = 18;
export const POOL_LENGTH: i32 = 19;
export const POOL_WEIGHTS: i32 = 20;
/** Whether a unit is anything but one entry. */
export const POOLED: i32 = 21;

/** How the rows of a list become one. */
export const REDUCE: i32 = 22;
export const MAX: i32 = 0;
export const SUM: i32 = 1;
export const UNION: i32 = 2;

/** The candidates: a selection of one list, or 0. */
export const WITHIN: i32 = 23;
/** Heads in a row that read the same keys and select inside the same candidates. */
export const HEAD_RUN: i32 = 24;
/** Query heads of a head of the selected set. */
export const OVER_GROUP: i32 = 25;

export const ALWAYS: i32 = 26;
export const ALWAYS_COUNT: i32 = 27;

export const PICK: i32 = 28;
export const TOPK: i32 = 0;
export const TOPP: i32 = 1;
export const THRESHOLD: i32 = 2;
/** Units that may be picked, forced ones included. */
export const ROOM: i32 = 29;
/** An f64: `p`, or the smallest score of a threshold. */
export const LIMIT: i32 = 30;

export const POSITIONS: i32 = 32;
// Lists, [batch, LIST_HEADS, QUERY_BLOCKS].
export const LIST_HEADS: i32 = 33;
/** Heads of a list; the indexer's count as one. */
export const LIST_GROUP: i32 = 34;
export const QUERY_BLOCK: i32 = 35;
export const QUERY_BLOCKS: i32 = 36;
export const IDS: i32 = 37;
export const COUNTS: i32 = 38;
export const CAPACITY: i32 = 39;

/** Entries that are scored at a time, a multiple of 4, and rows. */
export const STRIP: i32 = 40;
export const CHUNK: i32 = 41;
/** Whether logits become the probabilities of a softmax. */
export const PROBABILITIES: i32 = 42;
/** Whether keys are codes that can be multiplied as such; see codes.ts. */
export const CODED: i32 = 43;
/** Where the regions of a thread's scratch begin; see work.ts. */
export const REGIONS: i32 = 44;

// A wave, which the kernels are run on: [next, total, ...]
export const SPEC: i32 = 2;
/** Pairs [first list, lists]: neighbours of one batch row and head, scored together. */
export const TILES: i32 = 3;
/** Shares of the units of a tile. */
export const SLICES: i32 = 4;
export const FIRST_LIST: i32 = 5;
export const SCORES: i32 = 6;
/** f32 of a slot, a multiple of 4. */
export const SLOT_UNITS: i32 = 7;
export const SLOTS_PER_LIST: i32 = 8;
/** Which rows of each list are in the wave. */
export const ROWS_FROM: i32 = 9;
export const ROWS_TO: i32 = 10;
/** For each row and slice, the largest logit and the sum of the exponentials. */
export const STATISTICS: i32 = 11;
/** With `UNION`, a byte for each unit of each list: whether a row picked it. */
export const MARKS: i32 = 12;
/** Room for the logits of each row, `KEPT_ENTRIES` each, or 0 (see kept.ts). */
export const KEPT: i32 = 13;
export const KEPT_ENTRIES: i32 = 14;
