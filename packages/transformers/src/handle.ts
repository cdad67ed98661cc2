import { assertWhole, inputError } from '@jit-attention/core';
import type { AdoptedModel, ModelReport } from '@jit-attention/onnx';

import { Caches } from './caches.js';
import { DecoderSession } from './decoder-session.js';
import { EncoderSession } from './encoder-session.js';
import { cacheOf, type KeptCache, replaceIn, tensorIn } from './kept-cache.js';
import { isPast, type Place } from './loaded-model.js';
import type { LoadedRuntime } from './runtime.js';
import type { StandIn } from './stand-in.js';

/** What has been read, and what is held. */
export interface TransformersReport extends ModelReport {
  /** Contexts that live caches hold, and their bytes. */
  readonly contexts: number;
  readonly contextBytes: number;
}

/** An adoption of a model; made by `adoptTransformers()`. */
export class TransformersHandle {
  readonly #place: Place;
  readonly #model: AdoptedModel;
  readonly #caches: Caches;
  readonly #standIn: StandIn;
  #hasOriginal = true;
  #end: Promise<void> | undefined;

  /** Puts a stand-in in the session's place. */
  constructor(place: Place, model: AdoptedModel, runtime: LoadedRuntime) {
    this.#place = place;
    this.#model = model;
    this.#caches = new Caches(model, runtime);
    const { session } = place;
    const parts = { model, config: session.config, release: () => this.#release() };
    this.#standIn = model.isDecoder
      ? new DecoderSession(session, { ...parts, caches: this.#caches })
      : new EncoderSession(session, parts);
    place.sessions[place.name] = this.#standIn;
  }

  /** For each layer what has been read and missed since the last call; and which contexts are held now. */
  async report(): Promise<TransformersReport> {
    const { contexts, bytes } = this.#caches.held;
    return { ...(await this.#model.report()), contexts, contextBytes: bytes };
  }

  /**
   * A second cache with the same past, to continue a text in several ways. Keys and values are shared, what either side
   * adds is its own. Dispose of both: `await cache.dispose()`.
   *
   * @param cache a `DynamicCache`
   * @throws {InputError} `UNSUPPORTED` for a cache that this model has not filled
   * @throws {LifetimeError} `SEQUENCE_DISPOSED`
   */
  async fork<C extends KeptCache>(cache: C): Promise<C> {
    const tensor = tensorIn(cache, this.#past);
    return cacheOf(cache, this.#past, tensor && (await this.#caches.fork(tensor)));
  }

  /**
   * Lets a cache forget all tokens from `length` on; if it has no more, nothing. transformers.js has no way to do that.
   *
   * @throws {InputError} `INVALID_OPTION`, `UNSUPPORTED` for a cache that this model has not filled
   * @throws {CacheError} `ROLLBACK_EXCEEDED` when the strategy has let go what would be needed
   * @throws {LifetimeError} `SEQUENCE_DISPOSED`
   */
  async truncate(cache: KeptCache, length: number): Promise<void> {
    assertWhole('truncate', 'length', length, { min: 0 });
    const tensor = tensorIn(cache, this.#past);
    if (!tensor || length >= cache.get_seq_length()) return;
    replaceIn(cache, this.#past, await this.#caches.fork(tensor, length));
  }

  /**
   * Puts the original session back, after the runs that are under way, and frees everything of ours. Caches that were
   * filled meanwhile are of no use to the original. A second call does nothing.
   *
   * @throws {InputError} `UNSUPPORTED` where it was not kept
   */
  async restore(): Promise<void> {
    if (!this.#hasOriginal) throw notKept();
    if (this.#end === undefined) this.#place.sessions[this.#place.name] = this.#place.session;
    await this.#finish();
  }

  /** Frees the weights that ONNX Runtime holds for the original. */
  async releaseOriginal(): Promise<void> {
    this.#hasOriginal = false;
    await this.#place.session.release();
  }

  /** When transformers.js disposes of its model. */
  async #release(): Promise<void> {
    await this.#finish();
    if (this.#hasOriginal) await this.releaseOriginal();
  }

  #finish(): Promise<void> {
    this.#end ??= this.#standIn.end().then(() => {
      this.#caches.dispose();
      return this.#model.dispose();
    });
    return this.#end;
  }

  get #past(): string {
    return this.#place.session.inputNames.find(isPast) ?? '';
  }
}

function notKept(): Error {
  return inputError(
    'restore',
    'the original session',
    'none: it was adopted with keepOriginal: false',
    {
      code: 'UNSUPPORTED',
      hint: 'load the model anew, or adopt it with keepOriginal: true',
    },
  );
}
