import { word } from '../layout';
import { STRIP } from './spec';
import {
  CANDIDATES,
  ENTRIES,
  FIRST_ENTRY,
  FIRST_UNIT,
  LENGTH,
  MOST_SEEN,
  OFFSET,
  READS,
  region,
  setWord,
  STRIDE,
  STRIP_ENTRIES,
  STRIP_UNITS,
  UNITS,
} from './work';

/**
 * A strip is as many neighbouring units, or candidates, as have `STRIP` entries: small enough for its keys to stay
 * in the cache while all rows pass over them.
 */

/** Units of a whole strip. */
export function unitsOfStrip(spec: usize, work: usize): i32 {
  const length = word(work, LENGTH);
  if (word(work, CANDIDATES) >= 0) return word(spec, STRIP) / length;
  return (word(spec, STRIP) - length) / word(work, STRIDE) + 1;
}

/** Entries from the first one of a unit to that of the next, within the strip. */
export function stepOfStrip(work: usize): i32 {
  return word(work, CANDIDATES) >= 0 ? word(work, LENGTH) : word(work, STRIDE);
}

/** Makes units (or candidates) `[unit, unit + units)` the strip at hand. */
export function takeStrip(spec: usize, work: usize, unit: i32, units: i32): void {
  setWord(work, FIRST_UNIT, unit);
  setWord(work, STRIP_UNITS, units);
  if (word(work, CANDIDATES) >= 0) {
    listEntries(spec, work, unit, units);
  } else {
    setWord(work, FIRST_ENTRY, unit * word(work, STRIDE) + word(work, OFFSET));
    setWord(work, STRIP_ENTRIES, (units - 1) * word(work, STRIDE) + word(work, LENGTH));
  }
}

function listEntries(spec: usize, work: usize, unit: i32, units: i32): void {
  const entries = region(spec, work, ENTRIES);
  const reads = region(spec, work, READS);
  const last = word(work, MOST_SEEN) - 1;
  const length = word(work, LENGTH);
  let count = 0;
  for (let c = unit; c < unit + units; c++) {
    const first = word(region(spec, work, UNITS), c) * word(work, STRIDE) + word(work, OFFSET);
    for (let i = 0; i < length; i++) {
      setWord(entries, count, first + i);
      setWord(reads, count++, max(0, min(first + i, last)));
    }
  }
  setWord(work, STRIP_ENTRIES, count);
  for (; count % 4 !== 0; count++) setWord(reads, count, word(reads, count - 1));
}

/** Entries of the strip, filled up to a multiple of 4. */
export function filledEntries(work: usize): i32 {
  return (word(work, STRIP_ENTRIES) + 3) & ~3;
}

/** Id of entry `i` of the strip; there may be no such entry. */
export function entryOf(spec: usize, work: usize, i: i32): i32 {
  if (word(work, CANDIDATES) >= 0) return word(region(spec, work, ENTRIES), i);
  return word(work, FIRST_ENTRY) + i;
}

/** Whether a row that sees `seen` entries sees all of the strip's, and whether it sees any. */
export function seesAll(spec: usize, work: usize, seen: i32): bool {
  const last = entryOf(spec, work, word(work, STRIP_ENTRIES) - 1);
  return entryOf(spec, work, 0) >= 0 && last < seen;
}

export function seesAny(spec: usize, work: usize, seen: i32): bool {
  const last = entryOf(spec, work, word(work, STRIP_ENTRIES) - 1);
  return max(0, entryOf(spec, work, 0)) < seen && last >= 0;
}

/** How many of the strip's units lie below `units`. */
export function unitsBelow(spec: usize, work: usize, units: i32): i32 {
  let count = word(work, STRIP_UNITS);
  const first = word(work, FIRST_UNIT);
  if (word(work, CANDIDATES) < 0) return max(0, min(count, units - first));
  while (count > 0 && word(region(spec, work, UNITS), first + count - 1) >= units) count--;
  return count;
}
