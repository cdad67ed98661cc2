import { LifetimeError } from '@jit-attention/core';
import type { AdoptedModel, RuntimeFeeds, RuntimeSession, RuntimeValue } from '@jit-attention/onnx';

import type { LoadedSession } from './loaded-model.js';

export interface Parts {
  readonly model: AdoptedModel;
  readonly config: LoadedSession['config'];
  /** For `release()`, which transformers.js calls when its model is disposed of. */
  readonly release: () => Promise<void>;
}

/** What transformers.js looks at in a session, with an adopted model behind it. */
export abstract class StandIn implements RuntimeSession {
  readonly inputMetadata: readonly RuntimeValue[];
  readonly outputMetadata: readonly RuntimeValue[];
  readonly config: LoadedSession['config'];
  protected readonly model: AdoptedModel;
  readonly #release: () => Promise<void>;
  readonly #running = new Set<Promise<unknown>>();
  #ended = false;

  constructor(
    { model, config, release }: Parts,
    values: { readonly inputs: readonly RuntimeValue[]; readonly outputs: readonly RuntimeValue[] },
  ) {
    this.model = model;
    this.config = config;
    this.#release = release;
    this.inputMetadata = values.inputs;
    this.outputMetadata = values.outputs;
  }

  get inputNames(): readonly string[] {
    return this.inputMetadata.map(({ name }) => name);
  }

  get outputNames(): readonly string[] {
    return this.outputMetadata.map(({ name }) => name);
  }

  /**
   * In browsers transformers.js (4.3.1) chains every run on the one before, of whichever model: a rejection would be the
   * answer to all that follow. So a failure is an answer too, and is thrown as soon as somebody looks at it.
   */
  async run(feeds: RuntimeFeeds): Promise<RuntimeFeeds> {
    const answer = this.#ended ? Promise.reject(ended()) : this.answer(feeds);
    this.#running.add(answer);
    try {
      return await answer;
    } catch (error) {
      return failure(error);
    } finally {
      this.#running.delete(answer);
    }
  }

  release(): Promise<void> {
    return this.#release();
  }

  /** Takes no more runs; resolves when those under way are done. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.allSettled(this.#running);
  }

  /** @throws what `run` passes on */
  protected abstract answer(feeds: RuntimeFeeds): Promise<RuntimeFeeds>;
}

function failure(error: unknown): RuntimeFeeds {
  const fail = (): never => {
    throw error;
  };
  return Object.defineProperty({}, 'failure', { enumerable: true, get: fail });
}

function ended(): LifetimeError {
  return new LifetimeError('generate: expected an adopted model, got one that was given back', {
    code: 'SEQUENCE_DISPOSED',
    expected: 'an adopted model',
    actual: 'one that was restored or disposed of',
    hint: 'call adoptTransformers() again',
  });
}
