import { type Kernel, kernel, kernels, read, write } from '../device/kernel.js';
import { SPEC } from './spec.js';

/**
 * A kernel that lists which units each row may pick, `bits [rows][BIT_WORDS]`: those that touch an entry which
 * `within` selects for the row's query. With `entries` units are what is scored, and none is a candidate whose page was
 * freed. A thread has the 32 units of a word.
 */
export const candidatesKernel: (entries: boolean) => Kernel = kernels((entries) =>
  kernel({
    name: 'select: candidates',
    buffers: { rows: read('Row'), ids: read('i32'), counts: read('i32'), bits: write('u32') },
    declarations: SPEC + LISTED + (entries ? HELD : ''),
    body: /* wgsl */ `
  let index = i32(item) / word(BIT_WORDS);
  if (index >= word(SEGMENTS) * word(SEGMENT_ROWS)) { return; }
  let row = rows[index];
  let first = i32(item) % word(BIT_WORDS) * 32;
  let begin = row.candidates * word(WITHIN_CAPACITY);
  let end = begin + clamp(counts[row.candidates], 0, word(WITHIN_CAPACITY));
  var found = 0u;
  // Ids whose entries begin before the end of the last unit, from the first one on that ends behind the first unit.
  let least = first * word(UNIT_SIZE) / word(WITHIN_SIZE);
  for (var i = lower_bound(begin, end, least); i < end; i++) {
    let entry = ids[i] * word(WITHIN_SIZE);
    let unit = entry / word(UNIT_SIZE);
    if (unit >= first + 32) { break; }
    let last = (entry + word(WITHIN_SIZE) - 1) / word(UNIT_SIZE);
    for (var u = max(unit, first); u <= min(last, first + 31); u++) {
      ${entries ? 'if (is_held(row, u))' : ''} { found |= 1u << u32(u - first); }
    }
  }
  bits[item] = found;`,
  }),
);

const LISTED = /* wgsl */ `
// The first of ascending ids that is not below this one.
fn lower_bound(begin: i32, end: i32, id: i32) -> i32 {
  var low = begin;
  var high = end;
  while (low < high) {
    let middle = (low + high) / 2;
    if (ids[middle] < id) { low = middle + 1; } else { high = middle; }
  }
  return low;
}
`;

/** For units that are scored entries: whether their page is still there. */
const HELD = /* wgsl */ `
fn holds(entries: i32, row: Row, n: i32) -> bool {
  return n >= entries_length(entries, row.batch) || page_of(entries, row.batch, n) >= 0;
}
fn is_held(row: Row, unit: i32) -> bool {
  return holds(word(KEYS), row, unit) && (word(MAXIMA) == 0 || holds(word(MAXIMA), row, unit));
}
`;
