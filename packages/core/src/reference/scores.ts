import { headsOf, widthOf } from '../entries.js';
import type {
  AntidiagonalScore,
  BoundsScore,
  ReluWeightedScore,
  Score,
  SoftmaxScore,
} from '../select.js';
import { dot } from './attend.js';
import { floats, floatsOf, rowOffsets } from './storage.js';

/** One row that is scored: a query (or a cell of queries) of one head. */
export interface ScoreRow {
  readonly row: number;
  readonly head: number;
  readonly token: number;
  /** Queries of the batch row; those behind are padding. */
  readonly queries: number;
  /** Scored entries that count, `[0, seen)`. */
  readonly seen: number;
  /** For probabilities: which of them are in the softmax. */
  readonly isCandidate: (entry: number) => boolean;
}

/** Scores of entries `[0, seen)`, NaN made -Infinity so that it never wins. */
export function scoreRow(score: Score, at: ScoreRow): Float64Array {
  const scores = rawScores(score, at);
  for (let i = 0; i < scores.length; i++) if (Number.isNaN(scores[i])) scores[i] = -Infinity;
  return scores;
}

function rawScores(score: Score, at: ScoreRow): Float64Array {
  switch (score.kind) {
    case 'dot':
      return dots(score, at);
    case 'softmax':
      return softmax(capped(dots(score, at), score.softcap), at.isCandidate);
    case 'bounds':
      return bounds(score, at);
    case 'reluWeighted':
      return reluWeighted(score, at);
    case 'antidiagonal':
      return softmax(antidiagonal(score, at), at.isCandidate);
  }
}

/** The kv head that a query head reads. */
export function kvHeadOf(score: Score, head: number): number {
  const keys = score.kind === 'bounds' ? score.min : score.keys;
  return Math.floor(head / (score.query.shape[1] / headsOf(keys)));
}

/** Where query `token` of a head starts. */
function queryAt({ query }: Score, row: number, head: number, token: number): number {
  const [, heads, tokens, width] = query.shape;
  return ((row * heads + head) * tokens + token) * width;
}

function dots(
  score: Extract<Score, { kind: 'dot' | 'softmax' }>,
  { row, head, token, seen }: ScoreRow,
): Float64Array {
  const [q, k] = [floatsOf(score.query), floatsOf(score.keys.storage)];
  const keyAt = rowOffsets(score.keys, row, kvHeadOf(score, head));
  const start = queryAt(score, row, head, token);
  const width = widthOf(score.keys);
  return floats(seen, (n) => score.scale * dot(q, start, k, keyAt(n), width));
}

function bounds(score: BoundsScore, { row, head, token, seen }: ScoreRow): Float64Array {
  const [q, min, max] = [score.query, score.min.storage, score.max.storage].map(floatsOf);
  const kvHead = kvHeadOf(score, head);
  const [minAt, maxAt] = [rowOffsets(score.min, row, kvHead), rowOffsets(score.max, row, kvHead)];
  const start = queryAt(score, row, head, token);
  const width = widthOf(score.min);
  return floats(seen, (n) => {
    const [low, high] = [minAt(n), maxAt(n)];
    let sum = 0;
    for (let d = 0; d < width; d++)
      sum += Math.max(q[start + d] * min[low + d], q[start + d] * max[high + d]);
    return sum;
  });
}

/** All indexer heads at once: one score for all attention heads. */
function reluWeighted(score: ReluWeightedScore, { row, token, seen }: ScoreRow): Float64Array {
  const { query, keys, weights, scale } = score;
  const [, heads, tokens, width] = query.shape;
  const [q, k, w] = [floatsOf(query), floatsOf(keys.storage), floatsOf(weights)];
  const keyAt = rowOffsets(keys, row, 0);
  return floats(seen, (n) => {
    let sum = 0;
    for (let head = 0; head < heads; head++) {
      const logit = scale * dot(q, queryAt(score, row, head, token), k, keyAt(n), width);
      sum += w[(row * heads + head) * tokens + token] * Math.max(0, logit);
    }
    return sum;
  });
}

/** Cells of `stride` queries and keys; padding and rows past the end count as zeros. */
function antidiagonal(
  score: AntidiagonalScore,
  { row, head, token, queries, seen }: ScoreRow,
): Float64Array {
  const { query, keys, scale, stride } = score;
  const [q, k] = [floatsOf(query), floatsOf(keys.storage)];
  const keyAt = rowOffsets(keys, row, kvHeadOf(score, head));
  const width = widthOf(keys);
  return floats(seen, (cell) => {
    let sum = 0;
    for (let r = 0; r < stride; r++) {
      const [t, n] = [token + stride - 1 - r, cell * stride + r];
      if (t >= queries || n >= keys.lengths[row]) continue;
      sum += dot(q, queryAt(score, row, head, t), k, keyAt(n), width);
    }
    return (sum * scale) / stride;
  });
}

function capped(logits: Float64Array, softcap: SoftmaxScore['softcap']): Float64Array {
  return softcap === undefined
    ? logits
    : logits.map((logit) => softcap * Math.tanh(logit / softcap));
}

/** Probabilities over the candidates; 0 elsewhere. */
function softmax(logits: Float64Array, isCandidate: (entry: number) => boolean): Float64Array {
  let largest = -Infinity;
  for (let n = 0; n < logits.length; n++)
    if (logits[n] > largest && isCandidate(n)) largest = logits[n];
  if (largest === -Infinity) return logits.fill(0);
  let sum = 0;
  const weights = floats(logits.length, (n) => {
    if (!isCandidate(n)) return 0;
    const weight = logits[n] === largest ? 1 : Math.exp(logits[n] - largest);
    sum += weight;
    return weight;
  });
  return floats(weights.length, (n) => weights[n] / sum);
}
