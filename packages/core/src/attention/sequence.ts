import { KVCache } from '../cache/kv-cache.js';
import { fromQuery } from '../bound.js';
import { assertKnown, assertWhole } from '../check.js';
import { inputError, LifetimeError } from '../errors.js';
import type { KeptPlan } from '../plan.js';
import type { Positions } from '../positions.js';
import type { AttentionStrategy, Layer } from '../strategy.js';
import { assertReplay } from './replay.js';
import { cut, execute } from './execute.js';
import { Feedback } from './feedback.js';
import { strategyFailure } from './guarded.js';
import { IndexState } from './index-state.js';
import {
  CALL_INPUTS,
  type CallInputs,
  checkInputs,
  copyInputs,
  type ReadInputs,
} from './inputs.js';
import type { Site } from './options.js';
import type { AttentionResult } from './result.js';

export interface SequenceOptions {
  /** Batch rows. Default 1. */
  batch?: number | undefined;
  /** Tokens a row; allocated at once, and a hard limit. Default: grows by doubling. */
  capacity?: number | undefined;
}

interface State {
  readonly cache: KVCache;
  readonly index: IndexState;
  readonly feedback: Feedback;
}

/** One context of a decoder layer: a KV cache and the strategy's index over it. */
export class Sequence {
  readonly #site: Site;
  readonly #batch: number;
  readonly #state: State;
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;
  #disposed = false;

  /** Made by `attention.sequence()`, and by `fork()`. */
  constructor(site: Site, batch: number, state: State) {
    this.#site = site;
    this.#batch = batch;
    this.#state = state;
    const symbol = (Symbol as { dispose?: symbol }).dispose;
    if (symbol) Object.defineProperty(this, symbol, { value: () => this.dispose() });
  }

  /** Tokens of the longest batch row. */
  get length(): number {
    return Math.max(...this.lengths);
  }

  get lengths(): readonly number[] {
    return [...this.#state.cache.lengths];
  }

  /** Bytes of the cache and of the strategy's index. */
  get bytes(): number {
    return this.#state.cache.bytes + this.#state.index.bytes;
  }

  /**
   * Appends keys and values, then attends causally: the queries are the last of the appended tokens. Resolves
   * when the work is queued; calls are carried out in order. A call that fails leaves the sequence as it was.
   *
   * Arrays among the inputs have been read once this returns, and may be filled anew; tensors (and plans) must
   * live until the promise resolves.
   *
   * @throws {InputError} see {@link CallInputs}
   * @throws {CacheError} `CAPACITY_EXCEEDED`
   * @throws {PlanError} `PLAN_MISMATCH`, `PLAN_INVALID`
   * @throws {StrategyError} `STRATEGY_FAILED`
   * @throws {AbortError} `ABORTED`
   * @throws {LifetimeError} `SEQUENCE_DISPOSED`, `TENSOR_DISPOSED`, `BACKEND_MISMATCH`
   */
  attend(inputs: CallInputs): Promise<AttentionResult> {
    const result = this.#inOrder(inputs).finally(() => this.#running--);
    this.#running++;
    this.#last = result.catch(() => undefined);
    return result;
  }

  /**
   * Forgets all tokens from `length` on (a number, or one for each batch row); longer than the sequence: nothing.
   * @throws {CacheError} `ROLLBACK_EXCEEDED` when the strategy has let entries go that would be needed
   * @throws {LifetimeError} `SEQUENCE_BUSY` while an `attend` has not resolved
   */
  truncate(length: number | readonly number[]): void {
    this.#assertIdle('truncate');
    const { cache, index, feedback } = this.#state;
    const wanted = Array.isArray(length)
      ? (length as readonly number[])
      : new Array<number>(this.#batch).fill(length as number);
    if (wanted.length !== this.#batch)
      throw inputError('truncate', `${this.#batch} lengths`, wanted.length);
    for (const one of wanted) assertWhole('truncate', 'length', one, { min: 0 });
    const lengths = wanted.map((one, row) => Math.min(one, cache.lengths[row]));
    index.assertFloor(lengths, cache.lengths, [cache.floor, feedback.floor]);
    cache.truncate(lengths);
    index.truncate(lengths);
    feedback.truncate(lengths);
  }

  /** A sequence with the same past; both go on by themselves. Pages are shared until one side writes to them. */
  fork(): Sequence {
    this.#assertIdle('fork');
    const { cache, index, feedback } = this.#state;
    const state = { cache: cache.fork(), index: index.fork(), feedback: feedback.fork() };
    return new Sequence(this.#site, this.#batch, state);
  }

  /** Frees cache and index. */
  dispose(): void {
    if (this.#disposed) return;
    this.#assertIdle('dispose');
    this.#disposed = true;
    this.#state.cache.dispose();
    this.#state.index.dispose();
  }

  /** At once when idle; behind the others, with inputs of its own, when not. */
  #inOrder(inputs: CallInputs): Promise<AttentionResult> {
    if (this.#running === 0) return this.#attend(inputs);
    const own = copyInputs(inputs);
    return this.#last.then(() => this.#attend(own));
  }

  async #attend(inputs: CallInputs): Promise<AttentionResult> {
    this.#assertLive('attend');
    assertKnown('attend', inputs, CALL_INPUTS);
    const { cache } = this.#state;
    const checked = checkInputs(this.#site, 'attend', inputs, this.#batch);
    const { tokens, keyTokens, lengths } = checked;
    if (tokens > keyTokens)
      throw inputError('attend', `at most as many queries as keys, ${keyTokens}`, tokens, {
        code: 'INVALID_SHAPE',
      });
    cache.assertRoom(lengths);
    const skipped = keyTokens - tokens;
    const positions: Positions = {
      first: cache.lengths.map((length) => length + skipped),
      counts: lengths.map((length) => Math.max(0, length - skipped)),
      tokens,
    };
    if (inputs.plan)
      assertReplay('attend', inputs.plan, cut(positions, this.#site.layer.queryChunk));
    const read = checked.read();
    let plan: KeptPlan | undefined;
    try {
      const result = await this.#run(inputs, read, lengths, positions);
      plan = result.plan;
      return result;
    } finally {
      const rest = plan?.adoptNamed(read.owned) ?? read.owned;
      for (const tensor of rest) tensor.dispose();
    }
  }

  async #run(
    inputs: CallInputs,
    read: ReadInputs,
    counts: readonly number[],
    positions: Positions,
  ): Promise<AttentionResult> {
    const { cache, index, feedback } = this.#state;
    const before = [...cache.lengths];
    try {
      cache.append(read.key, read.value, counts);
      const after = [...cache.lengths];
      const values = cache.values === 'keys' ? cache.keys : cache.values;
      await index.append({ keys: cache.keys, values, rows: read.rows, before, after });
      return await execute({
        site: this.#site,
        where: 'attend',
        query: read.query,
        aux: read.queryAux,
        keys: cache.keys,
        values: cache.values,
        visible: fromQuery(1),
        positions,
        index: index.parts,
        feedback,
        inputs,
        settle: () => this.#settle(),
      });
    } catch (error) {
      cache.truncate(before);
      index.truncate(before);
      feedback.truncate(before);
      throw error;
    }
  }

  /** Frees what the strategy has let go, far enough back; gives the bytes that are left. */
  #settle(): number {
    const { cache, index, feedback } = this.#state;
    const { strategy, layer } = this.#site;
    cache.settle((length) => deadAt(strategy, length, layer), layer.rollback);
    index.settle(cache.lengths);
    feedback.settle(cache.lengths, layer.rollback);
    return this.bytes;
  }

  #assertLive(what: string): void {
    if (!this.#disposed) return;
    throw new LifetimeError(`${what}: expected a live sequence, got a disposed one`, {
      code: 'SEQUENCE_DISPOSED',
      expected: 'a live sequence',
      actual: 'a disposed one',
    });
  }

  #assertIdle(what: string): void {
    this.#assertLive(what);
    if (this.#running === 0) return;
    throw new LifetimeError(`${what}: expected no attend() under way, got ${this.#running}`, {
      code: 'SEQUENCE_BUSY',
      expected: 0,
      actual: this.#running,
      hint: 'await the earlier attend() first',
    });
  }
}

function deadAt(
  strategy: AttentionStrategy,
  length: number,
  layer: Layer,
): ReturnType<NonNullable<AttentionStrategy['dead']>> {
  try {
    return strategy.dead?.(length, layer) ?? [];
  } catch (cause) {
    throw strategyFailure(strategy, 'dead', cause);
  }
}

/** An empty sequence; when there is no room for its cache, nothing is held. */
export function createSequence(site: Site, options: SequenceOptions): Sequence {
  assertKnown('sequence', options, ['batch', 'capacity']);
  const { batch = 1, capacity } = options;
  assertWhole('sequence', 'batch', batch, { min: 1 });
  if (capacity !== undefined) assertWhole('sequence', 'capacity', capacity, { min: 1 });
  const { backend, strategy, layer, values, storage } = site;
  const index = new IndexState(strategy, { backend, layer, batch });
  try {
    const cache = KVCache.create(backend, { ...layer, batch, values, storage, capacity });
    return new Sequence(site, batch, {
      cache,
      index,
      feedback: new Feedback(strategy.audit?.delay),
    });
  } catch (error) {
    index.dispose();
    throw error;
  }
}
