import { firstPosition, pointer, word } from '../layout';
import { spansOf } from '../spans';
import { BLOCK, OVER_GROUP, POSITIONS, SPEC, WITHIN } from './spec';
import { BATCH_ROW, CANDIDATES, MOST_UNITS, region, setWord, SPANS, UNITS } from './work';

/**
 * Lists the units that touch what `WITHIN` selects for a query of a head, those in `[from, to)` that the rows at hand
 * see.
 */
export function findCandidates(
  wave: usize,
  work: usize,
  head: i32,
  token: i32,
  from: i32,
  to: i32,
): void {
  const spec = pointer(wave, SPEC);
  const block = word(spec, BLOCK);
  const row = word(work, BATCH_ROW);
  const spans = region(spec, work, SPANS);
  const units = region(spec, work, UNITS);
  const last = min(to, word(work, MOST_UNITS));
  const position = firstPosition(pointer(spec, POSITIONS), row) + token;
  const kvHead = head / word(spec, OVER_GROUP);
  const within = pointer(spec, WITHIN);
  const count = spansOf(within, row, kvHead, token, token + 1, position, last * block, spans);
  let next = from;
  let listed = 0;
  for (let i = 0; i < count; i++) {
    const span = spans + (i << 3);
    const end = min(last, (load<i32>(span, 4) + block - 1) / block);
    for (let unit = max(next, load<i32>(span) / block); unit < end; unit++) {
      setWord(units, listed++, unit);
    }
    next = max(next, end);
  }
  setWord(work, CANDIDATES, listed);
}

/** Queries `[token, end)` that select inside the same candidates as `token`; returns their end. */
export function sameCandidates(spec: usize, token: i32, end: i32): i32 {
  // Word 7 of the selection: the queries that share a list of its one part.
  const shared = word(pointer(spec, WITHIN), 1 + 6);
  return min(end, (token / shared + 1) * shared);
}
