import type { AdoptedModel, AdoptOptions, SequenceOfModel } from '@jit-attention/onnx';
import { topk } from '@jit-attention/strategy-topk';

import { SHARING } from '../../candidates/built-in.js';
import { adoptSubject, feedsOf, type Host, type Sizes, type Subject } from '../subject.js';
import { openRuntime, type RuntimeName } from '../runtimes.js';
import { type Past, Uncut } from './uncut.js';

/** Entries that the sparse contender reads. */
export const BUDGET = 512;

/** Ours: dense, and pages of the highest bounds, shared by 64 queries of a prefill. */
export type Ours = 'dense' | 'topk';

/** What takes part in the speed cases of a runtime, opened once and when it is needed: weights are large. */
export class Bay {
  readonly subject: Subject;
  readonly sizes: Sizes;
  readonly threads: number;
  readonly runtime: RuntimeName;
  readonly #host: Host;
  #uncut: Promise<Uncut> | undefined;
  #past: Past | undefined;
  readonly #ours = new Map<Ours, Promise<AdoptedModel>>();
  readonly #read = new Map<Ours, SequenceOfModel>();

  constructor(subject: Subject, host: Host, sizes: Sizes, runtime: RuntimeName) {
    this.subject = subject;
    this.sizes = sizes;
    this.threads = host.threads;
    this.runtime = runtime;
    this.#host = host;
  }

  uncut(): Promise<Uncut> {
    return (this.#uncut ??= Uncut.open(this.subject, this.runtime, this.threads));
  }

  adopted(which: Ours): Promise<AdoptedModel> {
    const strategy = which === 'dense' ? undefined : topk({ budget: BUDGET, queryBlock: SHARING });
    const found = this.#ours.get(which) ?? this.#adopt({ strategy });
    this.#ours.set(which, found);
    return found;
  }

  /** The uncut model's cache of the first `tokens` tokens; what is read once is not read again. */
  async pastOf(tokens: number): Promise<Past> {
    const uncut = await this.uncut();
    const { length } = (this.#past ??= uncut.nothing);
    const past = length > tokens ? uncut.nothing : this.#past;
    if (past.length < tokens)
      this.#past = (await uncut.step(this.#text(past.length, tokens), past)).past;
    return this.#past;
  }

  /** The same of ours: a fork, which is the caller's to dispose of. */
  async adoptedAt(which: Ours, tokens: number): Promise<SequenceOfModel> {
    const model = await this.adopted(which);
    const read = this.#read.get(which) ?? model.sequence();
    this.#read.set(which, read);
    if (read.length > tokens) read.truncate(0);
    if (read.length < tokens)
      await read.step(feedsOf(this.#text(read.length, tokens)), { logits: 0 });
    return read.fork();
  }

  async dispose(): Promise<void> {
    for (const sequence of this.#read.values()) sequence.dispose();
    for (const model of this.#ours.values()) await (await model).dispose();
    await (await this.#uncut)?.release();
  }

  async #adopt(options: AdoptOptions): Promise<AdoptedModel> {
    const { ort } = await openRuntime(this.runtime, this.threads);
    return adoptSubject(this.subject, { ...this.#host, runtime: ort }, options);
  }

  #text(start: number, end: number): readonly number[] {
    return this.subject.text.slice(start, end);
  }
}
