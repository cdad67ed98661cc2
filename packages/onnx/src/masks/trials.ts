import { cutGraph } from '../cut/cut.js';
import { type CutOptions, openModel, type OpenModel } from '../build/cut-model.js';
import { trialFeeds } from '../build/trial-feeds.js';
import type { LoadedModel } from '../load/load.js';
import type { RuntimeTensor } from '../runtime.js';

/** A step that the masks of a model are made for. */
export interface Trial {
  readonly past: number;
  readonly tokens: number;
  /** Valid tokens of each batch row. */
  readonly lengths: readonly number[];
}

/** Runs the part of a graph that makes its masks. */
export class MaskModel {
  readonly #model: OpenModel;
  readonly #names: readonly string[];

  /** `pasts`: inputs of caches, of which a mask may know the size alone. */
  static async open(
    loaded: LoadedModel,
    names: readonly string[],
    pasts: ReadonlySet<string>,
    options: CutOptions,
  ): Promise<MaskModel> {
    const pieces = cutGraph(loaded.graph, [], names);
    const model = await openModel(loaded, pieces, { ours: pasts, left: [] }, options);
    return new MaskModel(model, names);
  }

  private constructor(model: OpenModel, names: readonly string[]) {
    this.#model = model;
    this.#names = names;
  }

  /** The masks of a step by name. */
  async run({ past, tokens, lengths }: Trial): Promise<ReadonlyMap<string, RuntimeTensor>> {
    const { inputs, sizes, open } = this.#model;
    const batch = lengths.length;
    const before = new Array<number>(batch).fill(past);
    const step = inputs.check('adopt', trialFeeds(inputs, { batch, tokens }), {
      past: before,
      lengths,
    });
    const values = new Map(step.feeds({ start: 0, end: tokens }));
    for (const [name, make] of sizes) values.set(name, make(batch, past));
    for (const { inputs: names, run } of open.pieces) {
      const made = await run(Object.fromEntries(names.map((name) => [name, values.get(name)!])));
      for (const [name, tensor] of Object.entries(made)) values.set(name, tensor);
    }
    return new Map(this.#names.map((name) => [name, values.get(name)!]));
  }

  release(): Promise<void> {
    return this.#model.open.release();
  }
}
