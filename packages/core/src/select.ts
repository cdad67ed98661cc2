import type { Bound, Interval } from './bound.js';
import type { Entries } from './entries.js';
import type { BlocksSelection, TokensSelection } from './selection.js';
import type { Tensor } from './tensor.js';

/**
 * Selecting is one fused primitive: a description of a score, how it is reduced, and what is picked. A backend
 * never holds tokens × tokens for it.
 *
 * Letters: B batch, H query heads, G kv heads, T queries, N scored entries, D width.
 */
export type Score = DotScore | SoftmaxScore | BoundsScore | ReluWeightedScore | AntidiagonalScore;

/** `scale * (q · k)` per query head. */
export interface DotScore {
  readonly kind: 'dot';
  /** `[B, H, T, D]` */
  readonly query: Tensor;
  /** `[B, G, N, D]`, H a multiple of G */
  readonly keys: Entries;
  readonly scale: number;
}

/** The probability of the entry in the softmax of one query head over what it may see (and `within`). */
export interface SoftmaxScore {
  readonly kind: 'softmax';
  readonly query: Tensor;
  readonly keys: Entries;
  readonly scale: number;
  readonly softcap?: number | undefined;
  /** Which scored entries a query sees, where they are not the selected ones themselves. Default: the spec's. */
  readonly visible?: Bound | undefined;
}

/**
 * An upper bound of every `q · k` in a block: `Σ_d max(q_d min_d, q_d max_d)` (arXiv 2406.10774).
 * One scored entry stands for one block.
 */
export interface BoundsScore {
  readonly kind: 'bounds';
  readonly query: Tensor;
  /** `[B, G, blocks, D]` */
  readonly min: Entries;
  readonly max: Entries;
}

/** `Σ_j w_j ReLU(scale * q_j · k)` over indexer heads j: one score for all attention heads. */
export interface ReluWeightedScore {
  readonly kind: 'reluWeighted';
  /** `[B, indexerHeads, T, D]` */
  readonly query: Tensor;
  /** `[B, 1, N, D]` */
  readonly keys: Entries;
  /** `[B, indexerHeads, T, 1]` */
  readonly weights: Tensor;
  readonly scale: number;
}

/**
 * A strided estimate (arXiv 2503.16428): cell (I, J) of `stride` queries and keys scores
 * `Σ_r q(I·S + S-1-r) · k(J·S + r) · scale / S`, softmaxed over J ≤ I. A block of `queryBlock` queries has
 * `queryBlock / stride` rows of cells; the scored entries are the key cells. Queries start at a multiple of S.
 */
export interface AntidiagonalScore {
  readonly kind: 'antidiagonal';
  readonly query: Tensor;
  readonly keys: Entries;
  readonly scale: number;
  readonly stride: number;
}

/** What is kept. Ties go to the lower index; `always` comes first and is counted. */
export type Pick =
  /** The k best units. */
  | { readonly kind: 'topk'; readonly k: number }
  /**
   * The fewest best units whose summed score reaches `p` of the total, at most `capacity`; from p = 1 on every
   * unit. For probabilities.
   */
  | { readonly kind: 'topp'; readonly p: number; readonly capacity: number }
  /** Every unit that scores at least `min`, the best `capacity` of them. */
  | { readonly kind: 'threshold'; readonly min: number; readonly capacity: number };

/** Unit `j` takes its score from scored entries `stride·j + offset + i`, i < length; those outside are left out. */
export interface Pooling {
  readonly stride: number;
  readonly offset?: number | undefined;
  /** `max`, or the weight of each of the entries (their number is the length). */
  readonly weights: 'max' | readonly number[];
  /** With `max`: entries a unit. Default `stride`. */
  readonly length?: number | undefined;
}

export interface SelectSpec {
  readonly score: Score;
  /**
   * How the rows that share one selection (the query heads of a kv head, or all heads; times the queries of a
   * query block) become one: the largest, the sum, or `union`: each row picks for itself and all picks are in.
   * Default: `sum` for probabilities, otherwise `max`.
   */
  readonly reduce?: 'max' | 'sum' | 'union' | undefined;
  /** Who shares a selection: the query heads of one kv head (default), or all heads. */
  readonly shared?: 'group' | 'all' | undefined;
  /** From scored entries to units. Default: a scored entry is a unit. */
  readonly pool?: Pooling | undefined;
  /** Entries of the selected set that one unit stands for. Default 1: `tokens`. */
  readonly block?: number | undefined;
  /** The set that is selected from, where it is not the one that is scored. */
  readonly over?: Entries | undefined;
  /** Which entries of the selected set a query sees. Default: those of the step. */
  readonly visible?: Bound | undefined;
  /** Queries that share a selection, counted from the first of the step. Default 1. */
  readonly queryBlock?: number | undefined;
  /** Only units inside this selection (of the same set) are candidates. */
  readonly within?: BlocksSelection | TokensSelection | undefined;
  /** Always in, and counted: intervals of entries of the selected set. */
  readonly always?: readonly Interval[] | undefined;
  readonly pick: Pick;
}

/** The scored entries of a score; for bounds, the minima. */
export function scoredEntries(score: Score): Entries {
  return score.kind === 'bounds' ? score.min : score.keys;
}

export const topk = (k: number): Pick => ({ kind: 'topk', k });
export const topp = (p: number, capacity: number): Pick => ({ kind: 'topp', p, capacity });
export const threshold = (min: number, capacity: number): Pick => ({
  kind: 'threshold',
  min,
  capacity,
});
