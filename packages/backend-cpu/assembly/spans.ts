import { ALL, evaluate, LIST, partAt, partCount, pointer, RANGES, word } from './layout';

/**
 * Selections as spans: ascending `[start, end)` pairs of i32 without overlap. As core's `spansOf`, for a run of
 * queries at once: the union of what they select.
 */

/** Bytes of scratch that {@link spansOf} needs for a selection: two lists of as many spans as there can be. */
export function spanBytes(selection: usize): usize {
  let most = 0;
  for (let i = 0; i < partCount(selection); i++) {
    const part = partAt(selection, i);
    const kind = word(part, 0);
    most += kind === LIST ? word(part, 5) + 1 : kind === RANGES ? word(part, 1) + 1 : 1;
  }
  return most << 4;
}

/**
 * Writes the spans that queries `[token, tokenEnd)` of a row, at `position` and after, select of a kv head, cut at
 * `visible` (of the last of them). The queries lie in one query block of every list. Returns how many; `spans` has
 * room for twice as many (see {@link spanBytes}).
 */
export function spansOf(
  selection: usize,
  row: i32,
  kvHead: i32,
  token: i32,
  tokenEnd: i32,
  position: i32,
  visible: i32,
  spans: usize,
): i32 {
  const parts = partCount(selection);
  const room = spanBytes(selection) >> 1;
  let count = 0;
  for (let i = 0; i < parts; i++) {
    const part = partAt(selection, i);
    const own = spans + (count << 3);
    const kind = word(part, 0);
    let added: i32;
    if (kind === ALL) added = writeAll(visible, own);
    else if (kind === RANGES)
      added = writeRanges(part, position, position + tokenEnd - token - 1, visible, own);
    else added = writeList(part, row, kvHead, token, visible, own);
    if (count > 0 && added > 0) count = mergeLists(spans, count, added, spans + room);
    else count += added;
  }
  return count;
}

export function countEntries(spans: usize, count: i32): i32 {
  let entries = 0;
  for (let i = 0; i < count; i++) {
    const span = spans + (i << 3);
    entries += load<i32>(span, 4) - load<i32>(span);
  }
  return entries;
}

function writeAll(visible: i32, out: usize): i32 {
  if (visible <= 0) return 0;
  store<i32>(out, 0);
  store<i32>(out, visible, 4);
  return 1;
}

/** From where the first query begins to where the last one ends: bounds never fall as positions rise. */
function writeRanges(part: usize, first: i32, last: i32, visible: i32, out: usize): i32 {
  const intervals = pointer(part, 2);
  let count = 0;
  for (let i = 0; i < word(part, 1); i++) {
    const interval = intervals + (i << 4);
    const start = max(0, evaluate(interval, first));
    const end = min(visible, evaluate(interval + 8, last));
    if (start < end) count = insertSpan(out, count, start, end);
  }
  return count;
}

/** Insertion into a short list that stays sorted and merged. */
function insertSpan(spans: usize, count: i32, start: i32, end: i32): i32 {
  let at = count;
  while (at > 0 && load<i32>(spans + ((at - 1) << 3)) > start) at--;
  for (let i = count; i > at; i--) {
    store<i64>(spans + (i << 3), load<i64>(spans + ((i - 1) << 3)));
  }
  store<i32>(spans + (at << 3), start);
  store<i32>(spans + (at << 3), end, 4);
  return mergeSorted(spans, count + 1);
}

/** Joins overlapping and touching spans of a sorted list, in place. */
function mergeSorted(spans: usize, count: i32): i32 {
  let last = 0;
  for (let i = 1; i < count; i++) {
    const span = spans + (i << 3);
    const into = spans + (last << 3);
    const start = load<i32>(span);
    const end = load<i32>(span, 4);
    if (start <= load<i32>(into, 4)) {
      store<i32>(into, max(end, load<i32>(into, 4)), 4);
    } else {
      last++;
      store<i32>(spans + (last << 3), start);
      store<i32>(spans + (last << 3), end, 4);
    }
  }
  return last + 1;
}

function writeList(part: usize, row: i32, kvHead: i32, token: i32, visible: i32, out: usize): i32 {
  const heads = word(part, 3);
  const list = (row * heads + (heads === 1 ? 0 : kvHead)) * word(part, 4) + token / word(part, 6);
  const ids = pointer(part, 1) + ((list * word(part, 5)) << 2);
  const wanted = word(pointer(part, 2), list);
  const block = word(part, 7);
  let count = 0;
  let lastEnd = -1;
  for (let i = 0; i < wanted; i++) {
    const start = word(ids, i) * block;
    const end = min(visible, start + block);
    if (start >= end) break; // Ids ascend: nothing visible follows.
    if (start === lastEnd) {
      store<i32>(out + ((count - 1) << 3), end, 4);
    } else {
      store<i32>(out + (count << 3), start);
      store<i32>(out + (count << 3), end, 4);
      count++;
    }
    lastEnd = end;
  }
  return count;
}

/** Two sorted lists that lie one behind the other, into one. */
function mergeLists(spans: usize, first: i32, second: i32, spare: usize): i32 {
  const total = first + second;
  memory.copy(spare, spans, total << 3);
  let a = spare;
  let b = spare + (first << 3);
  const aEnd = b;
  const bEnd = spare + (total << 3);
  let out = spans;
  while (a < aEnd || b < bEnd) {
    const takeA = b >= bEnd || (a < aEnd && load<i32>(a) <= load<i32>(b));
    store<i64>(out, load<i64>(takeA ? a : b));
    if (takeA) a += 8;
    else b += 8;
    out += 8;
  }
  return mergeSorted(spans, total);
}
