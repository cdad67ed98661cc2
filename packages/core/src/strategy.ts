import type { AuditOptions, AuditReport } from './audit.js';
import type { Backend, Ops } from './backend.js';
import type { Bound } from './bound.js';
import type { Entries } from './entries.js';
import type { Plan, PlanChunk } from './plan.js';
import type { Positions } from './positions.js';
import type { SelectSpec } from './select.js';
import type { BlocksSelection, TokensSelection } from './selection.js';
import type { Tensor } from './tensor.js';

/**
 * A strategy decides what to read; it never reads. It is a plain object from a lower-case factory:
 *
 *     export const newest = (count: number): AttentionStrategy => ({
 *       name: 'newest',
 *       apiVersion: 1,
 *       supports: { exact: true, sync: true, bidirectional: true },
 *       plan: () => ({ branches: [{ keys: 'cache', selection: ranges([fromQuery(1 - count), fromQuery(1)]) }] }),
 *     });
 *
 * Two functions are enough: {@link AttentionStrategy.index} grows with the cache, {@link AttentionStrategy.plan}
 * turns queries into a plan. Everything else has a default.
 */
export interface AttentionStrategy<I extends Index = Index> {
  readonly name: string;
  readonly apiVersion: 1;
  readonly supports: Supports;
  /** The factory's options as given, to show and to write down: `name(options)`. */
  readonly options?: Readonly<Record<string, unknown>> | undefined;
  /** Auxiliary tensors that every call must bring, by name (other than `keys` and `values`). */
  readonly requires?: Readonly<Record<string, AuxSpec>> | undefined;
  /** Set by `audit()`: compare a sample of queries with the full softmax. */
  readonly audit?: AuditOptions | undefined;
  /** Called by `createAttention`; throws an `InputError` where options and layer do not go together. */
  validate?(layer: Layer): void;
  /** What the strategy keeps about the entries, one for each sequence. */
  index?(site: IndexSite): I;
  plan(step: Step<I>): Plan | Promise<Plan>;
  /**
   * Entries that no query at a position from `length` on will ever read, and no index part either (`groups` over
   * `'keys'` read the keys of the groups to come). Their pages are freed once they have been dead for `rollback`
   * entries.
   */
  dead?(length: number, layer: Layer): readonly (readonly [start: number, end: number])[];
}

/** What a strategy can do, as data; read by users, by the checks of a call and by `testkit` alike. */
export interface Supports {
  /** A budget that covers everything gives dense attention. False for those that read compressed entries. */
  readonly exact: boolean;
  /** `plan` never returns a promise. */
  readonly sync: boolean;
  /** Non-causal attention as well. */
  readonly bidirectional: boolean;
}

/** An auxiliary input: `[batch, heads, tokens, width]`, its tokens those of the queries or of the keys. */
export interface AuxSpec {
  readonly per: 'query' | 'key';
  /** Default: `'heads'` of queries, `'kvHeads'` of keys. */
  readonly heads?: number | 'heads' | 'kvHeads' | undefined;
  /** Default `'headDim'`. */
  readonly width?: number | 'headDim' | 'valueDim' | undefined;
}

/** The sizes of an auxiliary tensor in a layer, defaults filled in. */
export function auxSizes(
  { per, heads = per === 'query' ? 'heads' : 'kvHeads', width = 'headDim' }: AuxSpec,
  layer: Pick<Layer, 'heads' | 'kvHeads' | 'headDim' | 'valueDim'>,
): { heads: number; width: number } {
  return {
    heads: typeof heads === 'number' ? heads : layer[heads],
    width: typeof width === 'number' ? width : layer[width],
  };
}

/** The layer that an attention object serves; sizes and options as given to `createAttention`. */
export interface Layer {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly scale: number;
  readonly softcap?: number | undefined;
  /** Entries a page: what page-level strategies score and select. */
  readonly pageSize: number;
  readonly queryChunk: number;
  readonly rollback: number;
}

/** One chunk of queries that is to be planned. */
export interface Step<I extends Index = Index> {
  /** `[batch, heads, tokens, headDim]` */
  readonly query: Tensor;
  /** The cache, this step's own entries (and in prefill later ones) included. */
  readonly keys: Entries;
  readonly values: Entries;
  readonly positions: Positions;
  /** Which entries a query sees: `p + 1` when causal, undefined (all) when not. */
  readonly visible: Bound | undefined;
  readonly index: I;
  /** This chunk's rows of the `per: 'query'` tensors of `requires`. */
  readonly aux: Readonly<Record<string, Tensor>>;
  readonly layer: Layer;
  /** Primitives. What they return is freed after the step, unless the plan holds it and is kept. */
  readonly ops: StepOps;
  /**
   * An earlier plan the caller handed over with `from`, and where its queries stood: another layer's of the same
   * positions, or an earlier step's last.
   */
  readonly from?: PlanChunk | undefined;
  /** Audits of steps at least `audit.delay` steps old, since the last one; oldest first. */
  readonly feedback: readonly AuditReport[];
}

export interface StepOps extends Ops {
  /** Scores, reduces and picks in one go; positions and visibility default to the step's. */
  select(spec: SelectSpec): BlocksSelection | TokensSelection;
}

/** Named parts of a strategy's state; see `series` and `groups` for the ready-made ones. */
export type Index = Readonly<Record<string, IndexPart>>;

/** State that follows the cache through growing, going back and forking. */
export interface IndexPart {
  /** Takes in the newest entries; the cache has them already. A promise is waited for. */
  append(appended: Appended): void | Promise<void>;
  /** Goes back to these lengths (per batch row). Default: nothing to do. */
  truncate?(lengths: readonly number[]): void;
  /** Entries up to `length - rollback` will not be asked for again by a truncation: what serves only that may go. */
  settle?(lengths: readonly number[]): void;
  /** The shortest lengths {@link IndexPart.truncate} can go back to. Default: 0. */
  readonly floor?: readonly number[];
  fork(): IndexPart;
  dispose?(): void;
  /** Bytes held, for `stats()`. */
  readonly bytes?: number;
}

/** Where an index lives. */
export interface IndexSite {
  readonly backend: Backend;
  readonly layer: Layer;
  readonly batch: number;
}

export interface Appended {
  readonly keys: Entries;
  readonly values: Entries;
  /**
   * The new rows `[batch, heads, tokens, width]` by name: `keys`, `values`, and the `per: 'key'` tensors of
   * `requires`; padded to the longest batch row.
   */
  readonly rows: Readonly<Record<string, Tensor>>;
  /** Entries of each batch row before and after. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** Primitives; what they return is freed after the call. */
  readonly ops: Ops;
}

/** Types `step.index` after what `index` returns; at run time it is the identity. */
export function defineStrategy<I extends Index>(strategy: AttentionStrategy<I>): AttentionStrategy {
  return strategy;
}
