import { forcedUnits } from '../attention/budget.js';
import type { SelectRequest } from '../backend.js';
import { headsOf } from '../entries.js';
import { visibleAt } from '../positions.js';
import { spansOf } from '../reading.js';
import { type Pooling, scoredEntries } from '../select.js';
import { pickUnits, type Scored } from './pick.js';
import { scoreRow } from './scores.js';
import { floats, integersOf } from './storage.js';

/** `ids [B, heads, queryBlocks, capacity]` and `counts [B, heads, queryBlocks]` as lists. */
export interface Selected {
  readonly heads: number;
  readonly queryBlocks: number;
  readonly capacity: number;
  /** Ascending ids of list `(row * heads + head) * queryBlocks + block`. */
  readonly lists: readonly (readonly number[])[];
}

/** One query (or cell of queries) of one head, with what it may pick from. */
interface Row {
  readonly head: number;
  readonly token: number;
  readonly position: number;
}

export function select(request: SelectRequest): Selected {
  const { score, positions, over, block = 1, queryBlock = 1, pick } = request;
  const one = request.shared === 'all' || score.kind === 'reluWeighted';
  const heads = one ? 1 : headsOf(scoredEntries(score));
  const queryBlocks = Math.ceil(positions.tokens / queryBlock);
  const lists: number[][] = [];
  for (let row = 0; row < positions.first.length; row++) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < queryBlocks; i++)
        lists.push(selectBlock(request, row, head, heads, i * queryBlock));
    }
  }
  const units = Math.max(1, ...over.lengths.map((length) => Math.ceil(length / block)));
  const sharers = request.reduce === 'union' ? rowsOf(request, 0, heads, 0, queryBlock).length : 1;
  const capacity = Math.min(
    units,
    (pick.kind === 'topk' ? pick.k : pick.capacity) * Math.max(1, sharers),
  );
  return { heads, queryBlocks, capacity, lists };
}

/** What the queries from `start` on select together. */
function selectBlock(
  request: SelectRequest,
  row: number,
  head: number,
  heads: number,
  start: number,
): number[] {
  const { positions, queryBlock = 1, pick } = request;
  const end = Math.min(start + queryBlock, positions.counts[row]);
  if (start >= end) return [];
  const first = positions.first[row];
  const rows = rowsOf(request, head, heads, start, end).map((one) => ({
    ...one,
    position: first + one.token,
  }));
  const scored = rows.map((one) =>
    scoreUnits(request, row, one, Math.min(end, one.token + cellOf(request)) - 1),
  );
  const forced = forcedUnits(request, row, first + start, first + end);
  if (request.reduce === 'union') {
    return [...new Set(scored.flatMap((one) => pickUnits(one, pick, forced)))].sort(
      (a, b) => a - b,
    );
  }
  return pickUnits(join(scored, reduction(request)), pick, forced);
}

/** Queries that are scored as one row. */
function cellOf({ score }: SelectRequest): number {
  return score.kind === 'antidiagonal' ? score.stride : 1;
}

function rowsOf(
  request: SelectRequest,
  head: number,
  heads: number,
  start: number,
  end: number,
): { head: number; token: number }[] {
  const { score } = request;
  const group = score.kind === 'reluWeighted' ? 1 : score.query.shape[1] / heads;
  const rows: { head: number; token: number }[] = [];
  for (let h = head * group; h < (head + 1) * group; h++) {
    for (let token = start; token < end; token += cellOf(request)) rows.push({ head: h, token });
  }
  return rows;
}

function reduction({ reduce, score }: SelectRequest): 'max' | 'sum' {
  if (reduce === 'max' || reduce === 'sum') return reduce;
  return score.kind === 'softmax' || score.kind === 'antidiagonal' ? 'sum' : 'max';
}

/** `last`: the last query of the row's cell, which sees furthest. */
function scoreUnits(request: SelectRequest, row: number, at: Row, last: number): Scored {
  const { score, over, block = 1, visible, pool } = request;
  const position = at.position + (last - at.token);
  const units = Math.ceil(visibleAt(visible, position, over.lengths[row]) / block);
  const seen = seenEntries(request, row, position, units);
  const candidates = candidateMask(request, row, at, units * block);
  const eligible = candidates
    ? eligibleUnits(candidates, units, block)
    : new Uint8Array(units).fill(1);
  const entryScores = scoreRow(score, {
    ...at,
    row,
    queries: request.positions.counts[row],
    seen,
    isCandidate: (entry) => !!pool || !candidates || eligible[entry] === 1,
  });
  return { scores: poolUnits(entryScores, pool ?? { stride: 1, weights: 'max' }, units), eligible };
}

/** Units that touch a candidate. */
function eligibleUnits(candidates: Uint8Array, units: number, block: number): Uint8Array {
  const eligible = new Uint8Array(units);
  for (let unit = 0; unit < units; unit++)
    if (candidates.subarray(unit * block, (unit + 1) * block).includes(1)) eligible[unit] = 1;
  return eligible;
}

function seenEntries(request: SelectRequest, row: number, position: number, units: number): number {
  const { score, visible } = request;
  const length = scoredEntries(score).lengths[row];
  if (score.kind === 'bounds') return Math.min(units, length);
  const seen = visibleAt(
    (score.kind === 'softmax' ? score.visible : undefined) ?? visible,
    position,
    length,
  );
  return score.kind === 'antidiagonal' ? Math.ceil(seen / score.stride) : seen;
}

/** Which entries of the selected set lie inside `within`; undefined: all do. */
function candidateMask(
  request: SelectRequest,
  row: number,
  at: Row,
  visible: number,
): Uint8Array | undefined {
  const { within, over } = request;
  if (!within) return undefined;
  const mask = new Uint8Array(visible);
  const reader = { row, token: at.token, position: at.position, visible };
  const kvHead = Math.floor(at.head / (request.score.query.shape[1] / Math.max(1, headsOf(over))));
  for (const [start, end] of spansOf(within, reader, kvHead, integersOf)) mask.fill(1, start, end);
  return mask;
}

function poolUnits(scores: Float64Array, pool: Pooling, units: number): Float64Array {
  const { stride, offset = 0, weights } = pool;
  const length = weights === 'max' ? (pool.length ?? stride) : weights.length;
  return floats(units, (unit) => {
    let pooled = weights === 'max' ? -Infinity : 0;
    for (let i = 0; i < length; i++) {
      const entry = stride * unit + offset + i;
      if (entry < 0 || entry >= scores.length) continue;
      pooled =
        weights === 'max' ? Math.max(pooled, scores[entry]) : pooled + weights[i] * scores[entry];
    }
    return withoutNaN(pooled);
  });
}

/** Rows that share a selection become one; a unit counts if any of them may pick it. */
function join(rows: readonly Scored[], how: 'max' | 'sum'): Scored {
  const units = Math.max(...rows.map((row) => row.scores.length));
  const scores = new Float64Array(units).fill(how === 'max' ? -Infinity : 0);
  const eligible = new Uint8Array(units);
  for (const row of rows) {
    for (let unit = 0; unit < row.scores.length; unit++) {
      if (!row.eligible[unit]) continue;
      eligible[unit] = 1;
      scores[unit] =
        how === 'max'
          ? Math.max(scores[unit], row.scores[unit])
          : withoutNaN(scores[unit] + row.scores[unit]);
    }
  }
  return { scores, eligible };
}

/** Pooling and summing infinite scores can make new ones. */
function withoutNaN(score: number): number {
  return Number.isNaN(score) ? -Infinity : score;
}
