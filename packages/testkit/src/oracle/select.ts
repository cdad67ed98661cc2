import type { Bound, Interval, Pick, Pooling, Positions } from '@jit-attention/core';

import { range } from '../array.js';
import { boundAt, type Mask } from './mask.js';
import { type HostScore, isProbability, type QueryAt, rawScore } from './scores.js';

/** A `SelectRequest` on the host. */
export interface HostSelect {
  readonly score: HostScore;
  readonly reduce?: 'max' | 'sum' | 'union' | undefined;
  readonly shared: 'group' | 'all';
  readonly pool?: Pooling | undefined;
  readonly block: number;
  /** Of the set that is selected from, for each batch row. */
  readonly lengths: readonly number[];
  readonly visible: Bound | undefined;
  /** Of the scored entries, where another. */
  readonly scoreVisible?: Bound | undefined;
  readonly queryBlock: number;
  /** What `within` stands for, over the selected set. */
  readonly within?: Mask | undefined;
  readonly always: readonly Interval[];
  readonly pick: Pick;
  readonly positions: Positions;
}

/** What one row that picks has to pick from. */
export interface Choice {
  readonly scores: readonly number[];
  readonly eligible: readonly boolean[];
}

/** What one list of ids is picked from. */
export interface ListChoice {
  /** One, or with `union` one for each row. */
  readonly choices: readonly Choice[];
  readonly forced: readonly number[];
}

/** Lists of each batch row: a list a kv head, or one for all. */
export function listHeads({ score, shared }: HostSelect): number {
  return shared === 'all' || score.kind === 'reluWeighted' ? 1 : score.keys.shape[1];
}

/** What the list of a head and a query block is to be picked from; undefined where there is no query. */
export function choiceOf(
  request: HostSelect,
  row: number,
  head: number,
  block: number,
): ListChoice | undefined {
  const { positions, queryBlock } = request;
  const start = block * queryBlock;
  const end = Math.min(start + queryBlock, positions.counts[row]);
  if (start >= end) return undefined;
  const rows = queriesOf(request, row, head, start, end).map((at) => rowChoice(request, at, end));
  const choices = request.reduce === 'union' ? rows : [joined(rows, reductionOf(request))];
  return { choices, forced: forcedBy(request, row, range(start, end)) };
}

/** Units that `always` names for any of these queries. */
function forcedBy(
  { always, positions, lengths, visible, block }: HostSelect,
  row: number,
  tokens: readonly number[],
): number[] {
  const units = new Set<number>();
  for (const token of tokens) {
    const position = positions.first[row] + token;
    const seen = seenAt(visible, position, lengths[row]);
    for (let entry = 0; entry < seen; entry++) {
      const isForced = always.some(
        ([from, to]) => boundAt(from, position) <= entry && entry < boundAt(to, position),
      );
      if (isForced) units.add(Math.floor(entry / block));
    }
  }
  return [...units].sort((a, b) => a - b);
}

function reductionOf({ reduce, score }: HostSelect): 'max' | 'sum' {
  if (reduce === 'max' || reduce === 'sum') return reduce;
  return isProbability(score) ? 'sum' : 'max';
}

/** The rows that share a list: heads times queries (or cells of them). */
function queriesOf(
  request: HostSelect,
  row: number,
  list: number,
  start: number,
  end: number,
): QueryAt[] {
  const { score } = request;
  const heads = score.kind === 'reluWeighted' ? 1 : score.query.shape[1] / listHeads(request);
  return range(list * heads, (list + 1) * heads).flatMap((head) =>
    range(start, end)
      .filter((token) => (token - start) % (score.stride ?? 1) === 0)
      .map((token) => ({ row, head, token })),
  );
}

/** Unit scores of one row. `end`: the end of its query block. */
function rowChoice(request: HostSelect, at: QueryAt, end: number): Choice {
  const { score, lengths, visible, block, positions } = request;
  // A cell sees as far as the last of its queries.
  const last = Math.min(end, at.token + (score.stride ?? 1)) - 1;
  const position = positions.first[at.row] + last;
  const units = Math.ceil(seenAt(visible, position, lengths[at.row]) / block);
  const isCandidate = (unit: number): boolean => isInside(request, at, unit);
  const entries = entryScores(request, at, position, units, isCandidate);
  return {
    scores: range(0, units).map((unit) => pooled(entries, request.pool, unit)),
    eligible: range(0, units).map(isCandidate),
  };
}

/** Scores of the scored entries that the row sees; probabilities are over the candidates among them. */
function entryScores(
  request: HostSelect,
  at: QueryAt,
  position: number,
  units: number,
  isCandidate: (unit: number) => boolean,
): number[] {
  const { score, visible, scoreVisible = visible, pool } = request;
  const length = score.lengths[at.row];
  let seen = seenAt(scoreVisible, position, length);
  if (score.kind === 'bounds') seen = Math.min(units, length);
  if (score.stride !== undefined) seen = Math.ceil(seen / score.stride);
  const raw = range(0, seen).map((entry) => rawScore(score, at, entry));
  if (!isProbability(score)) return raw;
  // Where entries are pooled, candidates are units, and every entry is in the softmax.
  const counts = (entry: number): boolean => pool !== undefined || isCandidate(entry);
  const largest = Math.max(...raw.filter((_, entry) => counts(entry)));
  const weights = raw.map((logit, entry) => (counts(entry) ? Math.exp(logit - largest) : 0));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.map((weight) => (sum === 0 ? 0 : weight / sum));
}

function pooled(scores: readonly number[], pool: Pooling | undefined, unit: number): number {
  if (!pool) return scores[unit] ?? -Infinity;
  const { stride, offset = 0, weights, length = stride } = pool;
  const own = range(0, weights === 'max' ? length : weights.length)
    .map((i) => [i, scores[stride * unit + offset + i]] as const)
    .filter(([, value]) => value !== undefined);
  if (weights === 'max') return Math.max(...own.map(([, value]) => value));
  return own.reduce((sum, [i, value]) => sum + weights[i] * value, 0);
}

/** Whether any entry of a unit is inside `within` for a query. */
function isInside({ within, block, score }: HostSelect, at: QueryAt, unit: number): boolean {
  if (!within) return true;
  const [, kvHeads, tokens, entries] = within.shape;
  const heads = score.kind === 'reluWeighted' ? 1 : score.query.shape[1];
  const kvHead = Math.floor((at.head * kvHeads) / heads);
  const start = ((at.row * kvHeads + kvHead) * tokens + at.token) * entries;
  return range(unit * block, Math.min(entries, (unit + 1) * block)).some(
    (entry) => within.data[start + entry] === 1,
  );
}

function joined(rows: readonly Choice[], how: 'max' | 'sum'): Choice {
  const units = Math.max(...rows.map(({ scores }) => scores.length));
  const eligible = range(0, units).map((unit) => rows.some((row) => row.eligible[unit]));
  const scores = range(0, units).map((unit) => {
    const own = rows.filter((row) => row.eligible[unit]).map((row) => row.scores[unit]);
    return how === 'max' ? Math.max(...own) : own.reduce((sum, score) => sum + score, 0);
  });
  return { scores, eligible };
}

function seenAt(bound: Bound | undefined, position: number, length: number): number {
  return Math.max(0, Math.min(length, bound === undefined ? length : boundAt(bound, position)));
}
