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

  /** @throws {LifetimeError} `SEQUENCE_DISPOSED` once the original is back */
  run(feeds: RuntimeFeeds): Promise<RuntimeFeeds> {
    if (this.#ended) return Promise.reject(ended());
    const answer = this.answer(feeds);
    this.#running.add(answer);
    const done = () => void this.#running.delete(answer);
    answer.then(done, done);
    return answer;
  }

  release(): Promise<void> {
    return this.#release();
  }

  /** Takes no more runs; resolves when those under way are done. */
  async end(): Promise<void> {
    this.#ended = true;
    await Promise.allSettled(this.#running);
  }

  protected abstract answer(feeds: RuntimeFeeds): Promise<RuntimeFeeds>;
}

function ended(): LifetimeError {
  return new LifetimeError('generate: expected an adopted model, got one that was given back', {
    code: 'SEQUENCE_DISPOSED',
    expected: 'an adopted model',
    actual: 'one that was restored or disposed of',
    hint: 'call adoptTransformers() again',
  });
}
