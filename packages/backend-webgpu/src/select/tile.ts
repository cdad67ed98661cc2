import type { DType } from '@jit-attention/core';

import { BITS } from './bits.js';
import { NUMBERS } from './numbers.js';
import { SPEC } from './spec.js';

/** Threads of a workgroup that scores. */
export const THREADS = 64;

/** What a kernel that scores is made for. */
export interface Scoring {
  /** Whether rows of channels are whole vectors of four. */
  readonly whole: boolean;
  /** How scored entries are stored; of bounds, the minima. */
  readonly dtype: DType;
  readonly maxima: DType;
  /** Whether bits tell which entries are candidates. */
  readonly masked: boolean;
  /** Rows of a thread: 1, 4 or 8. Each thread has four entries, side by side. */
  readonly rows: number;
  /** Threads side by side, along entries: 16 or 64. The others are behind, along rows. */
  readonly across: number;
  /** Whether the lanes of a quad hand each other what they read; needs subgroups. */
  readonly quads: boolean;
  /** Whether it is but a part of what is scored that is bound. */
  readonly isPart: boolean;
}

/** WGSL that kernels which score have in common. */
export const scoringText = (isPart: boolean): string => /* wgsl */ `${SPEC}${NUMBERS}
fn width() -> u32 { return u32(word(WIDTH)); }

// Where a query begins.
fn query_start(batch: i32, head: i32, token: i32) -> u32 {
  return u32((batch * word(HEADS) + head) * word(TOKENS) + token) * width();
}
fn query_of(row: Row) -> u32 { return query_start(row.batch, row.head, row.token); }

${isPart ? IN_PART : IN_WHOLE}
`;

const IN_WHOLE = /* wgsl */ `
// Where an entry begins; one whose page was freed is no candidate, and anything will do.
fn held_at(entries: i32, bound: i32, row: Row, n: i32) -> u32 {
  if (page_of(entries, row.batch, n) < 0) { return 0u; }
  return entry_at(entries, row.batch, row.kv_head, n);
}

// Where four neighbours begin, n a multiple of 4; beyond the last entry anything will do.
fn four_at(entries: i32, bound: i32, row: Row, n: i32) -> vec4u {
  let last = entries_length(entries, row.batch) - 1;
  let first = held_at(entries, bound, row, min(n, last));
  let share_page = word(entries) % 4 == 0 && n <= last;
  if (share_page) { return first + vec4u(0, 1, 2, 3) * u32(words[entries + 2]); }
  return vec4u(
    first,
    held_at(entries, bound, row, min(n + 1, last)),
    held_at(entries, bound, row, min(n + 2, last)),
    held_at(entries, bound, row, min(n + 3, last)),
  );
}
`;

const IN_PART = /* wgsl */ `
// Whether it is in the part that is bound, see withPart in parts.ts.
fn is_bound(entries: i32, bound: i32, row: Row, n: i32) -> bool {
  if (n >= entries_length(entries, row.batch)) { return false; }
  let place = row_of_entry(entries, row.batch, row.kv_head, n);
  return place >= word(bound) && place < word(bound + 1);
}
fn are_bound(entries: i32, bound: i32, row: Row, n: i32) -> vec4<bool> {
  return vec4<bool>(
    is_bound(entries, bound, row, n), is_bound(entries, bound, row, n + 1),
    is_bound(entries, bound, row, n + 2), is_bound(entries, bound, row, n + 3));
}

// Where an entry begins; of one that is elsewhere nothing is stored, and anything will do.
fn held_at(entries: i32, bound: i32, row: Row, n: i32) -> u32 {
  if (!is_bound(entries, bound, row, n)) { return 0u; }
  let place = row_of_entry(entries, row.batch, row.kv_head, n) - word(bound);
  return u32(place) * u32(words[entries + 2]) + u32(word(bound + 2));
}
fn four_at(entries: i32, bound: i32, row: Row, n: i32) -> vec4u {
  return vec4u(
    held_at(entries, bound, row, n), held_at(entries, bound, row, n + 1),
    held_at(entries, bound, row, n + 2), held_at(entries, bound, row, n + 3));
}
`;

/** WGSL that says which of a thread's four keys are bound. */
export const KEYS_BOUND = 'let bound = are_bound(word(KEYS), KEYS_FIRST, row, entry);';

/** WGSL that looks for candidates. */
const CANDIDATES = /* wgsl */ `${BITS}
// Whether any of 16 entries is a candidate of any of these rows of the slab.
fn any_candidate(begin: i32, end: i32, entry: i32) -> bool {
  var any = 0u;
  for (var row = begin; row <= end; row++) { any |= bits_16(row, entry); }
  return any != 0;
}
`;

export const candidates = (masked: boolean): string => (masked ? CANDIDATES : '');

/**
 * WGSL that says which rows and entries a thread has. One that has none to score returns, and all lanes of a quad with
 * it: they have the same rows and neighbouring entries.
 *
 * @param rows of the slab
 */
export function place({ across, masked }: Scoring, rows: number): string {
  const tileRows = (THREADS / across) * rows;
  return /* wgsl */ `
  let tiles = (word(SEGMENT_ROWS) + ${tileRows - 1}) / ${tileRows};
  let tile = i32(group) % tiles;
  let segment = i32(group) / tiles % word(SEGMENTS);
  let strip = i32(group) / tiles / word(SEGMENTS);
  // Rows first to last of the slab, which read the same keys; four entries from entry on.
  let first = segment * word(SEGMENT_ROWS) + tile * ${tileRows} + i32(lane) / ${across} * ${rows};
  let last = min(first + ${rows}, (segment + 1) * word(SEGMENT_ROWS)) - 1;
  let entry = (strip * ${across} + i32(lane) % ${across}) * 4;
  let quad = entry - entry % 16;
  if (last < first || quad >= rows[last].entries) { return; }
  ${masked ? 'if (!any_candidate(first, last, quad)) { return; }' : ''}
  let row = rows[first];`;
}

/**
 * WGSL that writes row `first + r`, `raw [rows][ENTRIES]`.
 *
 * @param which of the four entries it is that are scored; default: all
 */
export function store(r: number | string, scores: string, which?: string): string {
  const at = `raw[((first + ${r}) * word(ENTRIES) + entry) / 4]`;
  return /* wgsl */ `
  if (first + ${r} <= last && entry < word(ENTRIES)) {
    ${at} = ${which ? `select(${at}, ${scores}, ${which})` : scores};
  }`;
}
