import { assertKnown, assertWhole, type Backend, inputError } from '@jit-attention/core';

import type { CutModel } from './build/cut-model.js';
import { generate } from './generate/generate.js';
import type { ModelConfig } from './load/config.js';
import type {
  AdoptedModel,
  Feeds,
  ForwardResult,
  GenerateOptions,
  LayerOfModel,
  LayerReport,
  ModelReport,
  SequenceOfModel,
  SequenceOfModelOptions,
  StepOptions,
  TokenIds,
} from './model.js';
import { Context } from './run/context.js';
import type { Engine } from './run/engine.js';
import type { ModelLayer } from './run/layer.js';
import { Outputs, rowsOf } from './run/outputs.js';
import { ModelSequence } from './run/sequence.js';
import { toFloats } from './run/tensors.js';
import type { RuntimeFeeds, RuntimeTensor, RuntimeValue } from './runtime.js';

export interface AdoptedSite {
  /** The model's file, for errors. */
  readonly file: string;
  readonly config: ModelConfig;
  readonly cut: CutModel;
  readonly engine: Engine;
  readonly ours: readonly ModelLayer[];
  readonly left: readonly LayerOfModel[];
  readonly chunk: number;
  /** Disposed of with the model. */
  readonly backend: Backend | undefined;
}

/** See {@link AdoptedModel}. */
export class Adopted implements AdoptedModel {
  readonly layers: readonly LayerOfModel[];
  readonly isDecoder: boolean;
  readonly #site: AdoptedSite;
  #reported = { steps: 0, tokens: 0, modelMs: 0 };

  constructor(site: AdoptedSite) {
    this.#site = site;
    this.layers = [...site.ours.map(({ info }) => info), ...site.left].sort(
      (a, b) => a.index - b.index,
    );
    const cached = site.ours.every(({ place }) => place.site.cache !== undefined);
    this.isDecoder = cached && (site.ours.length > 0 || site.cut.left.length > 0);
  }

  get inputs(): readonly RuntimeValue[] {
    return this.#site.cut.inputs.declared;
  }

  get outputs(): readonly RuntimeValue[] {
    const { open, outputs } = this.#site.cut;
    return outputs.flatMap((name) => open.known.get(name) ?? []);
  }

  async forward(ids: TokenIds | Feeds, options: StepOptions = {}): Promise<ForwardResult> {
    const given: Given = Array.isArray(ids) ? textsOf(ids as TokenIds) : { feeds: ids as Feeds };
    const all: StepOptions = { logits: 'all', lengths: given.lengths, ...options };
    const outputs = this.isDecoder
      ? await this.#decode(given.feeds, all)
      : await this.#encode(given.feeds, all);
    const first = outputs['logits'] ?? Object.values(outputs)[0];
    return { logits: { data: toFloats(first), dims: first.dims }, outputs };
  }

  generate(
    ids: readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<number, void, void> {
    this.#assertDecoder('generate');
    const { stop, positions: maxLength = Infinity } = this.#site.config;
    const sequence = (): SequenceOfModel => this.sequence();
    return generate({ sequence, stop, maxLength }, ids, options);
  }

  sequence(options: SequenceOfModelOptions = {}): SequenceOfModel {
    this.#assertDecoder('sequence');
    assertKnown('sequence', options, ['batch', 'capacity']);
    const { batch = 1, capacity } = options;
    assertWhole('sequence', 'batch', batch, { min: 1 });
    const { engine, ours, cut, chunk } = this.#site;
    const context = Context.create(cut.runtime, ours, cut.left, { batch, capacity });
    return new ModelSequence(engine, context, chunk);
  }

  async report(): Promise<ModelReport> {
    const { engine, ours, left } = this.#site;
    const reports = await Promise.all(ours.map((layer) => layer.report()));
    const others = left.map((info): LayerReport => ({ ...info, strategy: 'onnxruntime', ms: 0 }));
    const { steps, tokens, modelMs } = engine;
    const before = this.#reported;
    this.#reported = { steps, tokens, modelMs };
    return {
      layers: [...reports, ...others].sort((a, b) => a.index - b.index),
      steps: steps - before.steps,
      tokens: tokens - before.tokens,
      modelMs: modelMs - before.modelMs,
      attentionMs: reports.reduce((sum, { ms }) => sum + ms, 0),
    };
  }

  async dispose(): Promise<void> {
    await this.#site.engine.dispose();
    await this.#site.backend?.dispose?.();
  }

  async #decode(feeds: Feeds, options: StepOptions): Promise<RuntimeFeeds> {
    const sequence = this.sequence({ batch: batchOf(feeds, this.#site.cut.inputs.text) });
    try {
      return await sequence.step(feeds, options);
    } finally {
      sequence.dispose();
    }
  }

  async #encode(
    feeds: Feeds,
    { logits = 'all', lengths, signal }: StepOptions,
  ): Promise<RuntimeFeeds> {
    const { engine, cut } = this.#site;
    const step = cut.inputs.check('forward', feeds, { lengths });
    const wanted = rowsOf('forward', logits, step);
    const { tokens } = step;
    const { computed: rows } = wanted;
    const span = { start: 0, end: tokens };
    const made = await engine.chunk({ step, span, rows, context: undefined, signal });
    const outputs = new Outputs(cut.runtime);
    outputs.add(made, { tokens, rows });
    return outputs.finish(wanted);
  }

  #assertDecoder(where: string): void {
    if (this.isDecoder) return;
    throw inputError(where, 'a model with a cache', `${this.#site.file} without one`, {
      code: 'UNSUPPORTED',
      hint: 'forward() is for models of this kind',
    });
  }
}

function batchOf(feeds: Feeds, text: string): number {
  const batch = (feeds[text] as RuntimeTensor | undefined)?.dims[0];
  return batch !== undefined && batch >= 1 ? batch : 1;
}

interface Given {
  readonly feeds: Feeds;
  readonly lengths?: readonly number[];
}

/** Texts of unequal length are padded on the right. */
function textsOf(ids: TokenIds): Given {
  const texts = (typeof ids[0] === 'number' ? [ids] : ids) as readonly (readonly number[])[];
  const tokens = Math.max(0, ...texts.map(({ length }) => length));
  if (!(texts.length > 0 && texts.every((text) => Array.isArray(text) && text.length > 0)))
    throw inputError('forward', 'token ids, at least one a text', ids);
  const lengths = texts.map(({ length }) => length);
  const padded = texts.flatMap((text) => [
    ...text,
    ...new Array<number>(tokens - text.length).fill(0),
  ]);
  const feeds = { input_ids: { dims: [texts.length, tokens], data: padded } };
  return { feeds, lengths };
}
