import { partAt, pointer, RANGES, word } from '../layout';
import { countEntries } from '../spans';
import { countsAt, SELECTION } from './descriptor';
import { descOf, kvHeadOf, rowOf, SPANS, SPARE_SPANS, tokenOf, validOf } from './frame';
import { rangesOf, visibleTo } from './mask';

/** Padding reads nothing. */
export function clearCounts(frame: usize, tokenEnd: i32): void {
  const counts = countsAt(descOf(frame), rowOf(frame), kvHeadOf(frame));
  const token = tokenOf(frame);
  memory.fill(counts + (token << 2), 0, (tokenEnd - token) << 2);
}

/** Entries that each query of the task reads, of the `spans` spans that they read together. */
export function countReads(frame: usize, spans: i32): void {
  const selection = pointer(descOf(frame), SELECTION);
  const counts = countsAt(descOf(frame), rowOf(frame), kvHeadOf(frame));
  const alone = validOf(frame) - tokenOf(frame) === 1;
  const ranged = word(partAt(selection, 0), 0) === RANGES && !alone;
  for (let query = tokenOf(frame); query < validOf(frame); query++) {
    const visible = visibleTo(frame, query);
    const read = ranged
      ? countEntries(pointer(frame, SPARE_SPANS), rangesOf(frame, query, visible))
      : countBelow(pointer(frame, SPANS), spans, visible);
    store<i32>(counts + (query << 2), read);
  }
}

function countBelow(spans: usize, count: i32, visible: i32): i32 {
  let entries = 0;
  for (let i = 0; i < count; i++) {
    const span = spans + (i << 3);
    const start = load<i32>(span);
    if (start >= visible) break;
    entries += min(visible, load<i32>(span, 4)) - start;
  }
  return entries;
}
