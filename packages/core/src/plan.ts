import type { Bound } from './bound.js';
import type { Entries } from './entries.js';
import { LifetimeError } from './errors.js';
import type { Positions } from './positions.js';
import {
  type BlocksSelection,
  type Selection,
  tensorsOf,
  type TokensSelection,
} from './selection.js';
import { Tensor } from './tensor.js';

/** One set of keys and values, and what each query reads of it. */
export interface Branch {
  /** `'cache'`: the running layer's own; or entries from elsewhere `[batch, kvHeads, entries, headDim]`. */
  readonly keys: 'cache' | Entries;
  /**
   * Default: with `'cache'` keys the cache's values; otherwise `'keys'`: each value is the first `valueDim`
   * channels of its key.
   */
  readonly values?: 'cache' | 'keys' | Entries | undefined;
  readonly selection: Selection;
  /** A query at p sees entries below this bound. Default: the step's (`p + 1` when causal, else all). */
  readonly visible?: Bound | undefined;
  /** Other queries for this branch, `[batch, heads, tokens, headDim]`. Default: the step's. */
  readonly query?: Tensor | undefined;
  /** Default: the layer's. */
  readonly scale?: number | undefined;
}

/** The values of a branch, its default filled in. */
export function valuesOf({ keys, values }: Branch): 'cache' | 'keys' | Entries {
  return values ?? (keys === 'cache' ? 'cache' : 'keys');
}

/** What a later layer or step may take over, by name. */
export interface Handoff {
  readonly selections?: Readonly<Record<string, BlocksSelection | TokensSelection>> | undefined;
  readonly entries?: Readonly<Record<string, Entries>> | undefined;
}

/**
 * What a step reads, as data. Its branches share one softmax (joint, by log-sum-exp), or with `gates` each has
 * its own and the outputs are weighted and added. In one softmax, branches that read the same (keys, values,
 * query, scale and bound, defaults spelled out or not) are united first: an entry that several select counts once.
 */
export interface Plan {
  readonly branches: readonly Branch[];
  /** `[batch, heads, tokens, branches]` */
  readonly gates?: Tensor | undefined;
  /** For a strategy that is given this plan as `step.from`; not read by this step. */
  readonly handoff?: Handoff | undefined;
}

/** Every tensor that a plan holds: ids, counts, gates, queries, and the storage of entries it names. */
export function planTensors(plan: Plan): Tensor[] {
  const { selections = {}, entries = {} } = plan.handoff ?? {};
  return [
    ...plan.branches.flatMap(branchTensors),
    ...Object.values(selections).flatMap(tensorsOf),
    ...Object.values(entries).map(({ storage }) => storage),
    ...(plan.gates ? [plan.gates] : []),
  ];
}

function branchTensors({ keys, values, query, selection }: Branch): Tensor[] {
  const entries = [keys, values].filter((one): one is Entries => typeof one === 'object');
  return [
    ...entries.map(({ storage }) => storage),
    ...(query ? [query] : []),
    ...tensorsOf(selection),
  ];
}

export interface PlanChunk {
  readonly plan: Plan;
  readonly positions: Positions;
}

interface Disposable {
  dispose(): void;
}

/** Something that one or more plans need; the last to release it disposes of it. */
class Share {
  readonly #held: Disposable;
  #holders = 1;

  constructor(held: Disposable) {
    this.#held = held;
  }

  retain(): this {
    this.#holders++;
    return this;
  }

  release(): void {
    if (--this.#holders === 0) this.#held.dispose();
  }
}

/**
 * The plan of a whole call, a chunk of queries at a time. Counted: made with one owner (the result that carries
 * it); {@link KeptPlan.retain} adds one, {@link KeptPlan.dispose} takes one away, and the last frees the tensors.
 * Tensors that the caller gave as inputs stay the caller's, and must live as long as a plan that names them.
 */
export class KeptPlan {
  readonly chunks: readonly PlanChunk[];
  readonly #named: ReadonlySet<Disposable>;
  readonly #shares = new Map<Disposable, Share>();
  #owners = 1;

  /**
   * `owned`: tensors that the plan takes over. `from`: an earlier plan, of which this one keeps what it names. (Not
   * the earlier plan itself: a plan handed on from step to step would keep every step alive.)
   */
  constructor(chunks: readonly PlanChunk[], owned: readonly Tensor[], from?: KeptPlan) {
    this.chunks = chunks;
    this.#named = new Set(chunks.flatMap(({ plan }) => planTensors(plan)));
    this.adopt(owned);
    if (from) this.#inherit(from);
  }

  get disposed(): boolean {
    return this.#owners === 0;
  }

  /** Keeps the plan beyond `result.dispose()`; give it back with {@link KeptPlan.dispose}. */
  retain(): this {
    this.assertLive();
    this.#owners++;
    return this;
  }

  /** Frees these with the plan as well. */
  adopt(owned: readonly Disposable[]): void {
    for (const one of owned) this.#shares.set(one, new Share(one));
  }

  /** Takes over those of these tensors that the plan names; gives back the others. */
  adoptNamed(tensors: readonly Tensor[]): Tensor[] {
    this.adopt(tensors.filter((tensor) => this.#named.has(tensor)));
    return tensors.filter((tensor) => !this.#named.has(tensor));
  }

  dispose(): void {
    if (this.#owners === 0 || --this.#owners > 0) return;
    for (const share of this.#shares.values()) share.release();
    this.#shares.clear();
  }

  /** @throws {LifetimeError} `TENSOR_DISPOSED` */
  assertLive(): void {
    if (this.disposed) {
      throw new LifetimeError('plan: expected a live plan, got a disposed one', {
        code: 'TENSOR_DISPOSED',
        expected: 'a live plan',
        actual: 'a disposed one',
        hint: 'call plan.retain() before result.dispose()',
      });
    }
  }

  #inherit(from: KeptPlan): void {
    for (const [held, share] of from.#shares) {
      // What is no tensor is an index: whether the plan names its entries cannot be told.
      const needed = !Tensor.is(held) || this.#named.has(held);
      if (needed) this.#shares.set(held, share.retain());
    }
  }
}
