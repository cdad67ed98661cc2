import type { AttentionStrategy, Layer } from '../strategy.js';
import { type AttentionOptions, resolveOptions, type Site } from './options.js';
import type { AttentionResult } from './result.js';
import { run, type RunInputs } from './run.js';
import { createSequence, type Sequence, type SequenceOptions } from './sequence.js';

/**
 * Attention of one layer: a strategy that decides what to read, and a backend that reads it.
 *
 *     const attention = createAttention({ backend, strategy: dense(), heads: 8, kvHeads: 2, headDim: 64 });
 *     const sequence = attention.sequence();
 *     const { output } = await sequence.attend({ query, key, value });
 *
 * @throws {InputError} `INVALID_OPTION`, `UNSUPPORTED`, and what the strategy's `validate` throws
 */
export function createAttention(options: AttentionOptions): Attention {
  return new Attention(resolveOptions(options));
}

export class Attention {
  readonly #site: Site;

  constructor(site: Site) {
    this.#site = site;
  }

  get layer(): Layer {
    return this.#site.layer;
  }

  get strategy(): AttentionStrategy {
    return this.#site.strategy;
  }

  /**
   * A decoder's context: owns a KV cache, appends, attends causally.
   * @throws {InputError} `INVALID_OPTION`
   * @throws {BackendError} `BACKEND_FAILED` when there is no room for `capacity`; nothing is held then
   */
  sequence(options: SequenceOptions = {}): Sequence {
    return createSequence(this.#site, options);
  }

  /**
   * One shot without a cache: encoders and cross-attention (`causal: false`; the key count may differ from the
   * query count), or a whole causal prefill. No gradients. Arrays among the inputs have been read once this
   * returns; tensors (and plans) must live until the promise resolves.
   *
   * @throws {InputError} see {@link RunInputs}; `UNSUPPORTED` when the strategy is causal only
   * @throws {PlanError} `PLAN_MISMATCH`, `PLAN_INVALID`
   * @throws {StrategyError} `STRATEGY_FAILED`
   * @throws {AbortError} `ABORTED`
   * @throws {LifetimeError} `TENSOR_DISPOSED`, `BACKEND_MISMATCH`
   */
  run(inputs: RunInputs): Promise<AttentionResult> {
    return run(this.#site, inputs);
  }
}
