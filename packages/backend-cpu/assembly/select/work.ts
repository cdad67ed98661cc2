import { word } from '../layout';
import { REGIONS } from './spec';

/**
 * The scratch of a thread that scores: a header of words about the rows at hand, then regions that the host laid
 * out (`regions` in src/select/spec.ts, in this order).
 */

// The header.
export const BATCH_ROW: i32 = 0;
export const KV_HEAD: i32 = 1;
/** Rows at hand: queries that read the same keys. */
export const ROWS: i32 = 2;
/** The most units and entries that any of them sees. */
export const MOST_UNITS: i32 = 3;
export const MOST_SEEN: i32 = 4;
/** How many candidates there are; -1: every unit is one. */
export const CANDIDATES: i32 = 5;
// How units are made of entries in this pass, as in the spec.
export const STRIDE: i32 = 6;
export const OFFSET: i32 = 7;
export const LENGTH: i32 = 8;
// The strip at hand: its units (or candidates), and its entries. Where every unit is a candidate they are a run
// from FIRST_ENTRY on, otherwise they are listed.
export const FIRST_UNIT: i32 = 9;
export const STRIP_UNITS: i32 = 10;
export const FIRST_ENTRY: i32 = 11;
export const STRIP_ENTRIES: i32 = 12;
/** Keys of the strip with an infinite bound; their numbers are in MAXIMUM_ROWS. */
export const INFINITE: i32 = 13;
/** Whether all rows at hand are codes, to be multiplied with those of the keys (see codes.ts). */
export const CODED_ROWS: i32 = 14;

/** Whether the rows at hand lie side by side in PANELS as well, eight at a time. */
export const LANED_ROWS: i32 = 15;

/** Records of rows, see rows.ts. */
export const RECORDS: i32 = 0;
/** Rows of the matrix product, [rows · INNER][DEPTH]. */
export const QUERIES: i32 = 1;
/** Weights of indexer heads, [rows][INNER]. */
export const ROW_WEIGHTS: i32 = 2;
/** The rows of the matrix product as i16, [rows · INNER][WIDTH], and the scale of each. */
export const QUERY_CODES: i32 = 3;
export const QUERY_SCALES: i32 = 4;
/** Ids of candidate units. */
export const UNITS: i32 = 5;
export const SPANS: i32 = 6;
/** Ids of a strip's entries as the units want them, and cut to those that exist. */
export const ENTRIES: i32 = 7;
export const READS: i32 = 8;
/** Addresses of a strip's keys. */
export const KEY_ROWS: i32 = 9;
export const MAXIMUM_ROWS: i32 = 10;
/** Keys that are not read as they are stored, decoded. */
export const DECODED: i32 = 11;
export const DECODED_MAXIMA: i32 = 12;
/** Keys laid out for the matrix product, [STRIP][DEPTH], where they cannot be read in place. */
export const PREPARED: i32 = 13;
/** [CHUNK · INNER][STRIP] */
export const LOGITS: i32 = 14;
/** Rows of the matrix product side by side, `[rows / 8][DEPTH][8]` for each chunk, and their scores of a tile. */
export const PANELS: i32 = 17;
export const LANE_SCORES: i32 = 18;
/** Unit scores of a row, and of all rows of a strip. */
export const POOLED_SCORES: i32 = 15;
export const JOINED: i32 = 16;

/** @inline */
export function region(spec: usize, work: usize, i: i32): usize {
  return work + word(spec, REGIONS + i);
}

/** @inline */
export function setWord(base: usize, i: i32, value: i32): void {
  store<i32>(base + (i << 2), value);
}

/** @inline */
export function ceilDiv(a: i32, b: i32): i32 {
  return (a + b - 1) / b;
}
