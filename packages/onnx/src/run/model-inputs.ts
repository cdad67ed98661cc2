import { inputError } from '@jit-attention/core';

import { declaredShape, declaredType, type OnnxGraph } from '../graph.js';
import { typeName } from '../graph/types.js';
import type { Feed, Feeds } from '../model.js';
import type { Runtime, RuntimeTensor, RuntimeValue } from '../runtime.js';
import { LOGITS_TO_KEEP, MADE, TEXTS } from './names.js';
import { StepInputs, type StepState } from './step-inputs.js';
import {
  type ElementArray,
  elementsOf,
  type ElementType,
  isElementType,
  makeTensor,
  sizeOf,
} from './tensors.js';

export interface InputSite {
  readonly runtime: Runtime;
  readonly graph: OnnxGraph;
  /** Names of the caches' inputs, which no user feeds. */
  readonly caches: ReadonlySet<string>;
  /** Names that some piece reads. */
  readonly read: ReadonlySet<string>;
  /** Entries of the vocabulary, where the graph or the configuration says. */
  readonly vocabulary: number | undefined;
  /** Tokens that a text may have at most: the rows of rotary tables. */
  readonly positions: number;
}

/** What a model's steps take in, and how it is checked. */
export class ModelInputs {
  readonly site: InputSite;
  /** As the graph declares them, the caches left out. */
  readonly declared: readonly RuntimeValue[];
  /** The one that says how many rows and tokens there are. */
  readonly text: string;
  readonly #tokens: string | number | undefined;

  constructor(site: InputSite) {
    this.site = site;
    const inputs = site.graph.inputs.filter(
      ({ name }) => !site.caches.has(name) && name !== LOGITS_TO_KEEP,
    );
    this.declared = inputs.map((info) => ({
      name: info.name,
      isTensor: true,
      type: typeName(declaredType(info)) ?? '',
      shape: (declaredShape(info) ?? []).map((size) => size ?? -1),
    }));
    const names = this.declared.map(({ name }) => name);
    this.text = TEXTS.find((name) => names.includes(name)) ?? names[0];
    this.#tokens = this.find(this.text)?.shape?.[1];
  }

  find(name: string): RuntimeValue | undefined {
    return this.declared.find((value) => value.name === name);
  }

  /** What is not made here where it is left out. */
  mustBeGiven(name: string): boolean {
    return !MADE.includes(name);
  }

  /** The axis of an input that runs over the tokens of a step; undefined: it is the same for all of them. */
  tokenAxis(name: string): number | undefined {
    const { shape = [] } = this.find(name) ?? {};
    const axis = shape.findIndex((size) => typeof size === 'string' && size === this.#tokens);
    if (axis >= 0) return axis;
    return name === this.text || (MADE.includes(name) && name !== 'attention_mask') ? 1 : undefined;
  }

  /**
   * Checks what a step is given, before anything is done.
   *
   * @param where the call, for errors
   * @param state what came before, and which tokens count
   * @throws {InputError}
   */
  check(
    where: string,
    feeds: Feeds,
    { past, lengths }: Pick<StepState, 'past' | 'lengths'> = {},
  ): StepInputs {
    this.#assertNames(where, feeds);
    const given = new Map<string, RuntimeTensor>();
    for (const [name, feed] of Object.entries(feeds)) {
      if (feed !== undefined) given.set(name, this.#toTensor(where, name, feed));
    }
    const text = given.get(this.text)!;
    const step = new StepInputs(where, this, given, { past, lengths });
    if (this.text === 'input_ids') this.#assertIds(where, text);
    return step;
  }

  #assertNames(where: string, feeds: Feeds): void {
    for (const name of Object.keys(feeds)) {
      if (this.find(name)) continue;
      const names = this.declared.map((value) => value.name).join(', ');
      const hint = this.site.caches.has(name)
        ? 'keys and values are kept by the sequence'
        : undefined;
      throw inputError(where, `only the inputs ${names}`, name, { hint });
    }
    const missing = this.declared.find(({ name }) => this.mustBeGiven(name) && !(name in feeds));
    if (!missing) return;
    throw inputError(where, missing.name, undefined, {
      code: 'MISSING_INPUT',
      hint: `${this.site.graph.file} has an input of that name`,
    });
  }

  #toTensor(where: string, name: string, feed: Feed): RuntimeTensor {
    const { type, shape } = this.find(name)!;
    if (!isElementType(type)) {
      throw inputError(`${where}: ${name}`, 'an input of numbers', type, { code: 'UNSUPPORTED' });
    }
    const rank = shape!.length;
    if (feed.dims.length !== rank) {
      throw inputError(`${where}: ${name}`, `${rank} sizes`, [...feed.dims], {
        code: 'INVALID_SHAPE',
      });
    }
    if ((feed as RuntimeTensor).type === type) return feed as RuntimeTensor;
    const data = toElements(`${where}: ${name}`, type, feed.data);
    if (data.length !== sizeOf(feed.dims)) {
      throw inputError(`${where}: ${name}`, `${sizeOf(feed.dims)} numbers`, data.length, {
        code: 'INVALID_SHAPE',
      });
    }
    return makeTensor(this.site.runtime, type, data, feed.dims);
  }

  #assertIds(where: string, { data }: RuntimeTensor): void {
    const { vocabulary = Infinity } = this.site;
    for (const id of data as ArrayLike<number | bigint> & Iterable<number | bigint>) {
      if (id >= 0 && id < vocabulary) continue;
      const range = vocabulary === Infinity ? '0 or more' : `0 to ${vocabulary - 1}`;
      throw inputError(`${where}: input_ids`, `token ids of ${range}, the vocabulary`, id);
    }
  }
}

function toElements(where: string, type: ElementType, data: unknown): ElementArray {
  const floats = type.startsWith('float');
  if (floats && data instanceof Float32Array && type === 'float32') return data;
  const numbers =
    Array.isArray(data) || ArrayBuffer.isView(data)
      ? (data as ArrayLike<number | bigint>)
      : undefined;
  if (!numbers || floats) {
    throw inputError(where, `elements of type ${type}`, data, { code: 'INVALID_DTYPE' });
  }
  return elementsOf(type, Array.from(numbers, Number));
}
