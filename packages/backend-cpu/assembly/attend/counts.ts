import { partAt, pointer, RANGES, word } from '../layout';
import { countEntries, spansOf } from '../spans';
import { countsAt, SELECTION } from './descriptor';
import { descOf, kvHeadOf, rowOf, SPANS, SPARE_SPANS, tokenEnd, tokenOf, validOf } from './frame';
import { positionOf, visibleTo } from './sight';

/** Padding reads nothing. */
export function clearCounts(frame: usize): void {
  const counts = countsAt(descOf(frame), rowOf(frame), kvHeadOf(frame));
  const token = tokenOf(frame);
  memory.fill(counts + (token << 2), 0, (tokenEnd(frame) - token) << 2);
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
      ? countRanges(frame, query, visible)
      : countBelow(pointer(frame, SPANS), spans, visible);
    store<i32>(counts + (query << 2), read);
  }
}

/** What the ranges of one query hold. */
function countRanges(frame: usize, query: i32, visible: i32): i32 {
  const selection = pointer(descOf(frame), SELECTION);
  const row = rowOf(frame);
  const position = positionOf(frame, query);
  const spans = pointer(frame, SPARE_SPANS);
  const kvHead = kvHeadOf(frame);
  return countEntries(
    spans,
    spansOf(selection, row, kvHead, query, query + 1, position, visible, spans),
  );
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
