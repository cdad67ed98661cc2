import type { AuditOptions, AttentionStrategy, Backend, Stats } from '@jit-attention/core';

import type {
  Runtime,
  RuntimeFeeds,
  RuntimeSession,
  RuntimeSessionOptions,
  RuntimeValue,
} from './runtime.js';

/**
 * Which layers: numbers, or text: `'all'`, `'2-'`, `'0,3-5'`. A layer is an attention, counted from 0 in the
 * order in which a step reaches them.
 */
export type Layers = string | readonly number[];

export interface AdoptOptions {
  /**
   * What the chosen layers read; a function gives a strategy for each. Default: dense, all of it. A layer with a
   * window of the model's own keeps that window and takes no strategy.
   */
  readonly strategy?: AttentionStrategy | ((layer: LayerOfModel) => AttentionStrategy) | undefined;
  /** The layers that `strategy` serves; the others are dense, and ours too. Default `'all'`. */
  readonly layers?: Layers | undefined;
  /** Layers that stay with ONNX Runtime, with a cache of its own that it copies at every step. Default: none. */
  readonly leave?: Layers | undefined;
  /** Who computes attention. Default: `cpu()`, disposed of with the model; one that is given stays yours. */
  readonly backend?: Backend | undefined;
  /**
   * ONNX Runtime. Default: `onnxruntime-node` in Node, `onnxruntime-web` elsewhere, whichever is installed.
   */
  readonly runtime?: Runtime | undefined;
  /** For every session of ONNX Runtime, such as `executionProviders` and `intraOpNumThreads`. */
  readonly session?: RuntimeSessionOptions | undefined;
  /** The ONNX file of a directory, relative to it. Default: `onnx/model.onnx`, else the most exact `onnx/model*.onnx`. */
  readonly file?: string | undefined;
  /** How the cache stores keys and values. Default `'f32'`. */
  readonly storage?: 'f32' | 'f16' | 'i8' | undefined;
  /** Entries a page of the cache. Default 64. */
  readonly pageSize?: number | undefined;
  /** Tokens a sequence can be truncated by, where a strategy lets old entries go. Default 256. */
  readonly rollback?: number | undefined;
  /** Tokens of a prompt that go through the model at a time. Default 512. */
  readonly chunk?: number | undefined;
  /**
   * Compares the dense result with the original's on a short prompt, and refuses the model when they differ.
   * Default: 32 tokens, a tolerance of 1e-3 (f32) or 2e-2 (f16) of the largest logit. `false`: not at all, which saves
   * loading the original.
   */
  readonly verify?: boolean | VerifyOptions | undefined;
  /** Audits the chosen layers; `report()` then has their recall. Default: not. */
  readonly audit?: AuditOptions | undefined;
}

export interface VerifyOptions {
  /** Tokens of the prompt. Default 32. */
  readonly tokens?: number | undefined;
  /** The largest difference allowed, as a share of the largest absolute value of the original. */
  readonly tolerance?: number | undefined;
  /** A session of the original that is loaded already. It stays yours. */
  readonly original?: RuntimeSession | undefined;
}

/** An attention of the model, and who computes it. */
export interface LayerOfModel {
  readonly index: number;
  /** The node that was replaced: its name, and what it was. */
  readonly node: string;
  readonly kind: string;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly causal: boolean;
  /** The model's own window. */
  readonly window: number | undefined;
}

/**
 * A model whose attention is ours. Its weights are those of the file, held once by ONNX Runtime.
 *
 * Calls on one sequence are carried out in order; several sequences may be used at the same time.
 */
export interface AdoptedModel {
  readonly layers: readonly LayerOfModel[];
  /**
   * What a step takes and gives, without caches and the number of logits: names, element types, sizes by name.
   */
  readonly inputs: readonly RuntimeValue[];
  readonly outputs: readonly RuntimeValue[];
  /** It has a cache. Without one (an encoder) there is `forward` alone. */
  readonly isDecoder: boolean;

  /**
   * One pass from nothing: token ids of one text, of several (padded on the right by us), or feeds by name.
   * @throws {InputError} `INVALID_OPTION`, `INVALID_SHAPE`, `UNSUPPORTED`
   * @throws {AbortError} `ABORTED`
   */
  forward(ids: TokenIds | Feeds, options?: StepOptions): Promise<ForwardResult>;

  /**
   * Continues a text, token by token; ends after a stop token (given as well), `maxNewTokens`, or an abort, which
   * throws. A `sequence` that is passed in has taken in everything but the last token given, whenever the loop ends.
   *
   * @throws {InputError} `INVALID_OPTION`, `UNSUPPORTED`
   * @throws {AbortError} `ABORTED`; the sequence is valid, as after the last whole step
   */
  generate(ids: readonly number[], options?: GenerateOptions): AsyncGenerator<number, void, void>;

  /** An empty context. Dispose of it. */
  sequence(options?: SequenceOfModelOptions): SequenceOfModel;

  /** What has been read and missed since the last call of `report()`, per layer. */
  report(): Promise<ModelReport>;

  /** Gives sessions and, if it was made here, the backend back. Sequences are dead then. */
  dispose(): Promise<void>;
}

export interface SequenceOfModelOptions {
  /** Batch rows. Default 1. */
  readonly batch?: number | undefined;
  /** Tokens a row; allocated at once, and a hard limit. Default: grows by doubling. */
  readonly capacity?: number | undefined;
}

/** One context: a cache a layer. */
export interface SequenceOfModel {
  readonly batch: number;
  /** Tokens of the longest batch row. */
  readonly length: number;
  readonly lengths: readonly number[];
  /** Bytes of caches and indexes. */
  readonly bytes: number;

  /**
   * Takes in tokens and gives the model's outputs for the last of them. A step that fails leaves the sequence as it
   * was.
   *
   * `input_ids` (or `inputs_embeds`) is required; `attention_mask` (`[batch, past + tokens]`, padded on the right
   * only), `position_ids` and `token_type_ids` are made where the model wants them and they are not given.
   *
   * @throws {InputError} `INVALID_OPTION`, `INVALID_SHAPE`, `INVALID_DTYPE`, `MISSING_INPUT`, `UNSUPPORTED`
   * @throws {CacheError} `CAPACITY_EXCEEDED`
   * @throws {AbortError} `ABORTED`
   * @throws {LifetimeError} `SEQUENCE_DISPOSED`
   */
  step(feeds: Feeds, options?: StepOptions): Promise<RuntimeFeeds>;

  /** Forgets all tokens from `length` on (a number, or one for each batch row). */
  truncate(length: number | readonly number[]): void;
  /** A context with the same past; pages are shared until one side writes to them. Dispose of both. */
  fork(): SequenceOfModel;
  dispose(): void;
}

export type TokenIds = readonly number[] | readonly (readonly number[])[];

/** Inputs by name: tensors of ONNX Runtime, or numbers with their sizes. Never kept or changed. */
export type Feeds = Readonly<Record<string, Feed>>;

export interface Feed {
  readonly dims: readonly number[];
  /** A typed array; for integers also an array of numbers. */
  readonly data: unknown;
}

export interface StepOptions {
  /**
   * Rows of logits to compute: those of the last so many tokens of each batch row; 0 for none. Default: `step` 1,
   * `forward` all. A batch row with fewer tokens has zeros in front; with `'all'` rows are where their tokens are.
   */
  readonly logits?: number | 'all' | undefined;
  /** Valid tokens of each batch row, the rest being padding on the right. Default: all, or as `attention_mask` says. */
  readonly lengths?: readonly number[] | undefined;
  /** Aborts between layers and between chunks; nothing is changed then. */
  readonly signal?: AbortSignal | undefined;
}

export interface ForwardResult {
  /** `[batch, rows, vocabulary]`, in f32; of encoders their first output. */
  readonly logits: { readonly data: Float32Array; readonly dims: readonly number[] };
  /** All outputs by name, as ONNX Runtime gave them. */
  readonly outputs: RuntimeFeeds;
}

export interface GenerateOptions {
  /** Default: to the stop token, or to `maxLength` of the model. */
  readonly maxNewTokens?: number | undefined;
  /** Default: greedy, the most probable token. */
  readonly sampling?: SamplingOptions | undefined;
  /** Token ids that end the text. Default: `eos_token_id` of `generation_config.json`, else of `config.json`. */
  readonly stop?: readonly number[] | undefined;
  /** A context to go on from: `ids` come after what it holds. Stays yours. Default: a new one. */
  readonly sequence?: SequenceOfModel | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SamplingOptions {
  /** Logits are divided by it; 0 is greedy. Default 1. */
  readonly temperature?: number | undefined;
  /** Only the so many most probable tokens. Default: all. */
  readonly topK?: number | undefined;
  /** Only the smallest set of most probable tokens that has this probability. Default 1. */
  readonly topP?: number | undefined;
  /** The same seed gives the same text. Default 0. */
  readonly seed?: number | undefined;
}

export interface ModelReport {
  readonly layers: readonly LayerReport[];
  /** Runs through the model: a chunk of a prompt, or a token. */
  readonly steps: number;
  readonly tokens: number;
  /** Milliseconds in attention (ours, to and fro included), and in the pieces of the model. */
  readonly attentionMs: number;
  readonly modelMs: number;
}

export interface LayerReport extends LayerOfModel, Partial<Omit<Stats, 'bytesHeld'>> {
  /** `'windowed'`, with its options; `'onnxruntime'` for a layer that was left to it. */
  readonly strategy: string;
  /** Milliseconds in this attention. */
  readonly ms: number;
}
