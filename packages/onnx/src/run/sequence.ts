import { assertWhole, inputError, LifetimeError } from '@jit-attention/core';

import type { Feeds, SequenceOfModel, StepOptions } from '../model.js';
import type { RuntimeFeeds } from '../runtime.js';
import type { Context } from './context.js';
import type { Engine } from './engine.js';
import { Outputs, rowsOf, type WantedRows } from './outputs.js';
import type { StepInputs } from './step-inputs.js';

/** See {@link SequenceOfModel}. */
export class ModelSequence implements SequenceOfModel {
  readonly batch: number;
  readonly #engine: Engine;
  readonly #chunk: number;
  #context: Context;
  #last: Promise<unknown> = Promise.resolve();
  #running = 0;
  #disposed = false;

  constructor(engine: Engine, context: Context, chunk: number) {
    this.#engine = engine;
    this.#context = context;
    this.#chunk = chunk;
    this.batch = context.lengths.length;
    const symbol = (Symbol as { dispose?: symbol }).dispose;
    if (symbol) Object.defineProperty(this, symbol, { value: () => this.dispose() });
  }

  get lengths(): readonly number[] {
    return this.#context.lengths;
  }

  get length(): number {
    return Math.max(...this.lengths);
  }

  get bytes(): number {
    return this.#context.bytes;
  }

  step(feeds: Feeds, options: StepOptions = {}): Promise<RuntimeFeeds> {
    const result = this.#last.then(() => this.#step(feeds, options)).finally(() => this.#running--);
    this.#running++;
    this.#last = result.catch(() => undefined);
    return result;
  }

  truncate(length: number | readonly number[]): void {
    this.#assertIdle('truncate');
    const wanted =
      typeof length === 'number' ? new Array<number>(this.batch).fill(length) : [...length];
    if (wanted.length !== this.batch)
      throw inputError('truncate', `${this.batch} lengths`, wanted.length);
    for (const one of wanted) assertWhole('truncate', 'length', one, { min: 0 });
    this.#context.truncate(wanted);
  }

  fork(): ModelSequence {
    this.#assertIdle('fork');
    return new ModelSequence(this.#engine, this.#context.fork(), this.#chunk);
  }

  dispose(): void {
    if (this.#disposed) return;
    this.#assertIdle('dispose');
    this.#disposed = true;
    this.#context.dispose();
  }

  async #step(feeds: Feeds, { logits = 1, lengths, signal }: StepOptions): Promise<RuntimeFeeds> {
    this.#assertLive('step');
    const step = this.#engine.site.inputs.check('step', feeds, { past: this.lengths, lengths });
    const rows = rowsOf('step', logits, step);
    const isCut = step.tokens > this.#chunk;
    this.#context.assertGoesOn(isCut ? [this.lengths, step.lengths] : [this.lengths]);
    return step.tokens === 1 ? this.#token(step, rows, signal) : this.#tokens(step, rows, signal);
  }

  /** A token that fails is taken back. */
  async #token(
    step: StepInputs,
    rows: WantedRows,
    signal: AbortSignal | undefined,
  ): Promise<RuntimeFeeds> {
    const context = this.#context;
    const before = context.lengths;
    try {
      return await this.#run(context, step, rows, signal);
    } catch (error) {
      context.truncate(before);
      throw error;
    }
  }

  /** Many tokens may be more than can be taken back: they are tried on a fork, which takes the context's place. */
  async #tokens(
    step: StepInputs,
    rows: WantedRows,
    signal: AbortSignal | undefined,
  ): Promise<RuntimeFeeds> {
    const fork = this.#context.fork();
    try {
      const outputs = await this.#run(fork, step, rows, signal);
      this.#context.dispose();
      this.#context = fork;
      return outputs;
    } catch (error) {
      fork.dispose();
      throw error;
    }
  }

  async #run(
    context: Context,
    step: StepInputs,
    wanted: WantedRows,
    signal: AbortSignal | undefined,
  ): Promise<RuntimeFeeds> {
    const outputs = new Outputs(this.#engine.site.runtime);
    for (let start = 0; start < step.tokens; start += this.#chunk) {
      if (start > 0) await new Promise((resolve) => setTimeout(resolve, 0)); // lets an abort reach us
      const end = Math.min(step.tokens, start + this.#chunk);
      const rows = Math.max(0, Math.min(end - start, end - (step.tokens - wanted.computed)));
      const span = { start, end };
      const part = await this.#engine.chunk({ step, span, rows, context, signal });
      outputs.add(part, { tokens: end - start, rows });
    }
    return outputs.finish(wanted);
  }

  #assertIdle(where: string): void {
    this.#assertLive(where);
    if (this.#running === 0) return;
    throw new LifetimeError(`${where}: expected an idle sequence, got one with a step under way`, {
      code: 'SEQUENCE_BUSY',
      expected: 'an idle sequence',
      actual: 'one with a step under way',
      hint: 'await the step first',
    });
  }

  #assertLive(where: string): void {
    if (!this.#disposed) return;
    throw new LifetimeError(`${where}: expected a live sequence, got a disposed one`, {
      code: 'SEQUENCE_DISPOSED',
      expected: 'a live sequence',
      actual: 'a disposed one',
    });
  }
}
