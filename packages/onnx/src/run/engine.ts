import { AbortError } from '@jit-attention/core';

import { ROWS } from '../cut/narrow.js';
import type { Runtime, RuntimeTensor } from '../runtime.js';
import type { Context, LeftCache } from './context.js';
import type { ModelLayer } from './layer.js';
import type { ModelInputs } from './model-inputs.js';
import type { OpenPiece, OpenPieces } from './open.js';
import type { Span, StepInputs } from './step-inputs.js';
import { elementsOf, makeTensor } from './tensors.js';

type Values = Map<string, RuntimeTensor>;

export interface EngineSite {
  readonly runtime: Runtime;
  readonly inputs: ModelInputs;
  readonly open: OpenPieces;
  /** By the names of the values that they give. */
  readonly layers: ReadonlyMap<string, ModelLayer>;
  readonly left: readonly LeftCache[];
  /** Caches that are ours and whose size the graph still asks for, by name: `[batch, kvHeads, past, 0]` is fed. */
  readonly sizes: ReadonlyMap<string, (batch: number, past: number) => RuntimeTensor>;
  /** The model's outputs, caches left out. */
  readonly outputs: readonly string[];
}

export interface ChunkOptions {
  readonly step: StepInputs;
  readonly span: Span;
  /** The last so many tokens of the chunk are those whose outputs are asked for. */
  readonly rows: number;
  readonly context: Context | undefined;
  readonly signal: AbortSignal | undefined;
}

/** Runs tokens through the pieces of a model, with our attention between them. */
export class Engine {
  readonly site: EngineSite;
  modelMs = 0;
  steps = 0;
  tokens = 0;

  constructor(site: EngineSite) {
    this.site = site;
  }

  /**
   * One chunk of tokens, whose keys and values are appended to `context`. When it fails, some layers have them and
   * some do not: the caller undoes that.
   */
  async chunk(options: ChunkOptions): Promise<Values> {
    const { step, span, context, rows, signal } = options;
    const { pieces } = this.site.open;
    const values = this.#feeds(options);
    const given = new Set(values.keys());
    const skipped = rows === 0 && this.#isLastForOutputsOnly();
    for (const [i, piece] of pieces.entries()) {
      if (skipped && i === pieces.length - 1) break;
      assertNotAborted(signal);
      await this.#run(piece, values);
      const queries = i === pieces.length - 2 ? this.#queries(options, skipped) : undefined;
      for (const place of piece.places) {
        const layer = this.site.layers.get(place.output)!;
        const lengths = step.lengthsIn(span);
        const asked = queries ?? span.end - span.start;
        const sequence = context?.sequence(layer);
        const output = await layer.attend(values, { sequence, lengths, queries: asked, signal });
        values.set(place.output, output);
      }
      this.#drop(piece, values, given);
    }
    this.steps++;
    this.tokens += span.end - span.start;
    context?.advance(step.before(span.end), this.#presents(values));
    return new Map(
      this.site.outputs.filter((name) => values.has(name)).map((name) => [name, values.get(name)!]),
    );
  }

  async #run({ inputs, run }: OpenPiece, values: Values): Promise<void> {
    const start = performance.now();
    const outputs = await run(Object.fromEntries(inputs.map((name) => [name, values.get(name)!])));
    for (const [name, tensor] of Object.entries(outputs)) values.set(name, tensor);
    this.modelMs += performance.now() - start;
  }

  #feeds({ step, span, rows, context }: ChunkOptions): Values {
    const { sizes, runtime } = this.site;
    const values = step.feeds(span);
    const past = Math.max(...step.before(span.start));
    for (const [name, make] of sizes) values.set(name, make(step.batch, past));
    for (const [name, tensor] of context?.left ?? []) values.set(name, tensor);
    const tokens = span.end - span.start;
    const last = Array.from({ length: rows }, (_, i) => tokens - rows + i);
    values.set(ROWS, makeTensor(runtime, 'int64', elementsOf('int64', last), [rows]));
    return values;
  }

  /** Of the attentions before the last piece, only the rows that it will compute. */
  #queries({ rows, span }: ChunkOptions, skipped: boolean): number {
    if (skipped) return 1;
    return this.site.open.narrowed ? rows : span.end - span.start;
  }

  /** Without logits the last piece may be left out: no cache comes out of it. */
  #isLastForOutputsOnly(): boolean {
    const { open, left, outputs } = this.site;
    const last = open.pieces.at(-1)!;
    return (
      open.pieces.length > 1 &&
      last.outputs.every((name) => outputs.includes(name)) &&
      left.every(({ present }) => !last.outputs.includes(present))
    );
  }

  #presents(values: Values): Values {
    return new Map(this.site.left.map(({ past, present }) => [past, values.get(present)!]));
  }

  #drop({ last }: OpenPiece, values: Values, given: ReadonlySet<string>): void {
    const { outputs, left } = this.site;
    for (const name of last) {
      if (given.has(name) || outputs.includes(name)) continue;
      if (left.some(({ present }) => present === name)) continue;
      values.get(name)?.dispose();
      values.delete(name);
    }
  }

  async dispose(): Promise<void> {
    await this.site.open.release();
  }
}

export function assertNotAborted(signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new AbortError('step: aborted; nothing was changed', {
    code: 'ABORTED',
    expected: 'a signal that is not aborted',
    actual: signal.reason,
    cause: signal.reason,
  });
}
