import { pointer, word } from '../layout';
import { recordAt, ROW_KEPT } from './rows';
import { STRIP } from './spec';
import { FIRST_ENTRY, LOGITS, MOST_SEEN, region, STRIP_ENTRIES } from './work';

/** Logits of the pass for statistics, kept for the one for scores where there is room: each row's, entry by entry. */

/** Whether the rows at hand keep their logits: all do, or none. */
export function areKept(spec: usize, work: usize): bool {
  return pointer(recordAt(spec, work, 0), ROW_KEPT) !== 0;
}

/** Keeps the logits of the strip at hand of rows `[first, first + count)`. */
export function keepChunk(spec: usize, work: usize, first: i32, count: i32): void {
  const bytes = word(work, STRIP_ENTRIES) << 2;
  for (let r = 0; r < count; r++) {
    const kept = pointer(recordAt(spec, work, first + r), ROW_KEPT);
    memory.copy(kept + (word(work, FIRST_ENTRY) << 2), logitsAt(spec, work, r), bytes);
  }
}

/** Brings them back, of those entries of the strip that exist and are seen. */
export function recallChunk(spec: usize, work: usize, first: i32, count: i32): void {
  const start = word(work, FIRST_ENTRY);
  const from = max(0, start);
  const to = min(start + word(work, STRIP_ENTRIES), word(work, MOST_SEEN));
  if (from >= to) return;
  for (let r = 0; r < count; r++) {
    const kept = pointer(recordAt(spec, work, first + r), ROW_KEPT);
    const logits = logitsAt(spec, work, r) + ((from - start) << 2);
    memory.copy(logits, kept + (from << 2), (to - from) << 2);
  }
}

function logitsAt(spec: usize, work: usize, r: i32): usize {
  return region(spec, work, LOGITS) + ((r * word(spec, STRIP)) << 2);
}
