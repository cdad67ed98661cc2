import type { HostArray } from '../array.js';

/**
 * Scores as core's `Score` describes them, in f64 on the host, one query and one entry at a time. Rows are
 * contiguous: `query [batch, heads, tokens, width]`, `keys [batch, kvHeads, entries, width]`.
 */
export interface HostScore {
  readonly kind: 'dot' | 'softmax' | 'bounds' | 'reluWeighted' | 'antidiagonal';
  readonly query: HostArray;
  /** With `bounds`: the minima. */
  readonly keys: HostArray;
  /** Scored entries of each batch row. */
  readonly lengths: readonly number[];
  readonly scale: number;
  readonly softcap?: number | undefined;
  /** `bounds`: the maxima. */
  readonly max?: HostArray | undefined;
  /** `reluWeighted`: `[batch, heads, tokens, 1]`. */
  readonly weights?: HostArray | undefined;
  /** `antidiagonal` */
  readonly stride?: number | undefined;
  /** `antidiagonal`: queries of each batch row; those behind are padding and count as zeros. */
  readonly queries?: readonly number[] | undefined;
}

/** A query of one head; with `antidiagonal` the first of a cell. */
export interface QueryAt {
  readonly row: number;
  readonly head: number;
  readonly token: number;
}

/** The score of one entry before any softmax: a logit, or the score itself. */
export function rawScore(score: HostScore, at: QueryAt, entry: number): number {
  switch (score.kind) {
    case 'bounds':
      return bound(score, at, entry);
    case 'reluWeighted':
      return reluWeighted(score, at, entry);
    case 'antidiagonal':
      return antidiagonal(score, at, entry);
    case 'dot':
      return score.scale * dot(score, at, entry);
    case 'softmax': {
      const logit = score.scale * dot(score, at, entry);
      return score.softcap === undefined ? logit : score.softcap * Math.tanh(logit / score.softcap);
    }
  }
}

/** Whether scores are probabilities. */
export const isProbability = ({ kind }: HostScore): boolean =>
  kind === 'softmax' || kind === 'antidiagonal';

function dot(score: HostScore, at: QueryAt, entry: number): number {
  const [query, key] = [queryOf(score, at), keyOf(score, score.keys, at, entry)];
  return query.reduce((sum, value, d) => sum + value * key[d], 0);
}

function bound(score: HostScore, at: QueryAt, entry: number): number {
  const query = queryOf(score, at);
  const [min, max] = [score.keys, score.max!].map((rows) => keyOf(score, rows, at, entry));
  return query.reduce((sum, value, d) => sum + Math.max(value * min[d], value * max[d]), 0);
}

/** Every head of the query has a say. */
function reluWeighted(score: HostScore, at: QueryAt, entry: number): number {
  const [, heads, tokens] = score.query.shape;
  let sum = 0;
  for (let head = 0; head < heads; head++) {
    const weight = score.weights!.data[(at.row * heads + head) * tokens + at.token];
    sum += weight * Math.max(0, score.scale * dot(score, { ...at, head }, entry));
  }
  return sum;
}

function antidiagonal(score: HostScore, at: QueryAt, cell: number): number {
  const stride = score.stride!;
  let sum = 0;
  for (let r = 0; r < stride; r++) {
    const [token, entry] = [at.token + stride - 1 - r, cell * stride + r];
    const isThere = token < score.queries![at.row] && entry < score.lengths[at.row];
    if (isThere) sum += dot(score, { ...at, token }, entry);
  }
  return (sum * score.scale) / stride;
}

function queryOf({ query }: HostScore, { row, head, token }: QueryAt): Float64Array {
  const [, heads, tokens, width] = query.shape;
  const start = ((row * heads + head) * tokens + token) * width;
  return Float64Array.from(query.data.subarray(start, start + width));
}

function keyOf(
  { query }: HostScore,
  { shape, data }: HostArray,
  { row, head }: QueryAt,
  entry: number,
): Float32Array {
  const [, kvHeads, entries, width] = shape;
  const kvHead = Math.floor(head / (query.shape[1] / kvHeads));
  const start = ((row * kvHeads + kvHead) * entries + entry) * width;
  return data.subarray(start, start + width);
}
