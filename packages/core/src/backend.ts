import type { Bound } from './bound.js';
import type { DataOf, Decoded, DType } from './dtype.js';
import type { Entries } from './entries.js';
import type { Positions } from './positions.js';
import type { SelectSpec } from './select.js';
import type { BlocksSelection, Selection, TokensSelection } from './selection.js';
import type { Tensor } from './tensor.js';

/**
 * A backend reads what a plan selects; it decides nothing about what to read. It implements this short list of
 * primitives, and every strategy runs on it.
 *
 * Primitives return handles at once and compute behind them, in call order. Wrong use throws at the call;
 * a failure of queued work surfaces at the next wait ({@link Backend.read}) as a `BackendError`.
 *
 * Letters: B batch, H query heads, G kv heads (H a multiple of G; head h reads kv head floor(h / (H/G))),
 * T queries, N entries, D headDim, Dv valueDim.
 */
export interface Backend extends Ops {
  readonly name: string;
  readonly apiVersion: 1;

  /**
   * Copies numbers in. Floats for `f32` (default), `f16` and `i8` (converted), an `Int32Array` for `i32`.
   * @throws {InputError} `INVALID_SHAPE` when the shape does not hold as many numbers, `INVALID_DTYPE`
   */
  tensor<D extends DType = 'f32'>(
    data: DataOf<D>,
    options: { shape: readonly number[]; dtype?: D | undefined },
  ): Tensor<D>;
  zeros<D extends DType = 'f32'>(options: {
    shape: readonly number[];
    dtype?: D | undefined;
  }): Tensor<D>;
  /** For `tensor.data()`. */
  read(tensor: Tensor): Promise<Float32Array | Int32Array>;
  /** For `tensor.dispose()`. */
  release(tensor: Tensor): void;
  /** Hands queued work over to the device; called once a chunk of queries is planned and attended to. */
  submit?(): void;
  /** Ends threads or gives the device back; every tensor is dead then. */
  dispose?(): void | Promise<void>;
  /** Live tensors and their bytes as stored. */
  memory(): { tensors: number; bytes: number };

  /**
   * Writes row `[b, :, i]` of `source [B, heads, T, W]` into slot `slots[b * T + i]` of `target
   * [pages, heads, pageSize, W]`; slot `s` is entry `s % pageSize` of page `floor(s / pageSize)`; -1: skip.
   * Converts to the target's dtype.
   */
  writeRows(target: Tensor, source: Tensor, slots: Int32Array): void;
  /** Copies page `from[i]` of `source` to page `to[i]` of `target`. */
  copyPages(source: Tensor, target: Tensor, from: readonly number[], to: readonly number[]): void;
  /**
   * Writes `source` into `target`, of the same dtype, at index `at` of `axis`, which for `i8` is not the last: a row of
   * it shares a scale. All other axes are equal.
   */
  copyInto(target: Tensor, source: Tensor, options: { axis: number; at: number }): void;

  /** Attends to one branch. */
  attend(request: AttendRequest): AttendResult;
  select(request: SelectRequest): BlocksSelection | TokensSelection;
}

/** The primitives that a strategy is given, through the step's scope. All results are new tensors, f32 unless said. */
export interface Ops {
  /** `[start, end)` of one axis. */
  slice(tensor: Tensor, options: { axis: number; start: number; end: number }): Tensor<'f32'>;
  /** Axes in a new order, `numpy.transpose`. */
  permute(tensor: Tensor, order: readonly number[]): Tensor<'f32'>;
  /** Picks queries `[row, token]` of `[B, X, T, ...]`: `[picks, X, 1, ...]`; i32 (ids, counts) stays i32. */
  gather<D extends DType>(
    tensor: Tensor<D>,
    picks: readonly (readonly [row: number, token: number])[],
  ): Tensor<Decoded<D>>;

  /**
   * Joins branches. One softmax over all by default: `out = Σ e^{lse_i - lse} out_i`; with `gates [B, H, T, n]`:
   * `out = Σ g_i out_i`. `sinkLogits [H]` enlarge the denominator only. The log-sum-exp that comes back counts the
   * branches and never the sinks. A branch that reads nothing has no say; all of them empty: zeros and -Infinity. One of
   * +Infinity takes all, shared with its equals. Gates and sinks exclude each other.
   */
  merge(
    parts: readonly Pick<AttendResult, 'output' | 'logSumExp'>[],
    options?: { gates?: Tensor | undefined; sinkLogits?: Tensor | undefined },
  ): Pick<AttendResult, 'output' | 'logSumExp'>;

  pool(request: PoolRequest): Tensor<'f32'>;
  /** `activation(x · weightᵀ + bias)` over the last axis, `[..., in] → [..., out]`. */
  linear(x: Tensor, options: LinearOptions): Tensor<'f32'>;
  /** Over the last axis. `rms`: `x / sqrt(mean(x²) + eps) * weight`; `layer`: mean removed, `+ bias`. */
  norm(x: Tensor, options: NormOptions): Tensor<'f32'>;
  rotary(x: Tensor, options: RotaryOptions): Tensor<'f32'>;
  /** Sylvester-ordered Hadamard transform of the last axis (a power of two), times `width^-0.5`. */
  hadamard(x: Tensor): Tensor<'f32'>;
  /**
   * Each row (last axis) rounded to `bits` and decoded again. `absmax`: symmetric, `s = max|x| / (2^(bits-1) - 1)`;
   * `minmax`: `s = (max - min) / (2^bits - 1)`, codes counted from the minimum.
   */
  quantise(x: Tensor, options: { bits: 4 | 8; range: 'absmax' | 'minmax' }): Tensor<'f32'>;
}

export interface AttendRequest {
  /** `[B, H, T, D]` */
  readonly query: Tensor;
  /** `[B, G, N, D]` */
  readonly keys: Entries;
  /** `[B, G, N, Dv]`; or `'keys'`: the first `valueDim` channels of each key, loaded once. */
  readonly values: Entries | 'keys';
  readonly valueDim: number;
  readonly selection: Selection;
  /** A query sees entries below this bound. Absent: all. */
  readonly visible?: Bound | undefined;
  readonly positions: Positions;
  readonly scale: number;
  /** `softcap * tanh(logit / softcap)` */
  readonly softcap?: number | undefined;
}

export interface AttendResult {
  /** `[B, H, T, Dv]`; zeros for a query that reads nothing. */
  readonly output: Tensor<'f32'>;
  /** `[B, H, T]`, `log Σ e^logit` of what was read; -Infinity for nothing. */
  readonly logSumExp: Tensor<'f32'>;
  /** Entries read, `[B, G, T]`, i32. */
  readonly counts: Tensor<'i32'>;
}

export interface SelectRequest extends SelectSpec {
  readonly positions: Positions;
  readonly over: Entries;
}

/** A run of rows that belongs to each group: rows `stride·i + start … + length` for group i. */
export interface PoolPart {
  /** `[B, heads, N, W]` */
  readonly values: Entries;
  /** Logits of the same shape, for `softmax`: per channel. */
  readonly logits?: Entries | undefined;
  readonly start: number;
  readonly length: number;
  /** Channels to take. Default: all. */
  readonly channels?: readonly [start: number, end: number] | undefined;
}

/**
 * Reduces groups of rows to one row each, `[B, heads, count, W]` for groups `first[b] … first[b] + count - 1`.
 * A group is the rows of all its parts; rows outside `[0, length)` are left out (a group without rows: zeros).
 * `concat` lays the rows side by side, `[B, heads, count, rows · W]`, absent ones as zeros.
 */
export interface PoolRequest {
  readonly kind: 'mean' | 'min' | 'max' | 'softmax' | 'concat';
  readonly parts: readonly PoolPart[];
  readonly stride: number;
  readonly first: readonly number[];
  readonly count: number;
}

export interface LinearOptions {
  /** `[out, in]` */
  readonly weight: Tensor;
  /** `[out]`; or `[heads, out]` for `x [batch, heads, tokens, in]`. */
  readonly bias?: Tensor | undefined;
  readonly activation?: 'relu' | 'silu' | 'sigmoid' | undefined;
}

export interface NormOptions {
  readonly kind: 'rms' | 'layer';
  readonly eps: number;
  readonly weight?: Tensor | undefined;
  readonly bias?: Tensor | undefined;
}

export interface RotaryOptions {
  /** Angle of pair i at position p: `p * frequencies[i]`; half as many as channels. */
  readonly frequencies: readonly number[];
  /** Row `n` (third axis) of batch row `b` is at position `first[b] + step * n`. */
  readonly first: readonly number[];
  readonly step?: number | undefined;
  /** Which channels rotate. Default: all. */
  readonly channels?: readonly [start: number, end: number] | undefined;
  /** Pairs (2i, 2i + 1) instead of (i, i + d/2). Default false. */
  readonly interleaved?: boolean | undefined;
}
