import { assertWhole, CacheError, inputError } from '@jit-attention/core';

import { POSITIONS } from '../cut/places.js';
import type { RuntimeTensor } from '../runtime.js';
import type { ModelInputs } from './model-inputs.js';
import { LOGITS_TO_KEEP } from './names.js';
import { elementsOf, type ElementType, makeTensor, sliceTensor } from './tensors.js';

/** The tokens `[start, end)` of a step. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

export interface StepState {
  /** Tokens of each batch row that came before. Default: none. */
  readonly past?: readonly number[] | undefined;
  /** Valid tokens of each batch row. Default: as `attention_mask` says, else all. */
  readonly lengths?: readonly number[] | undefined;
}

/** What one step was given, checked; cut into feeds for the pieces, a chunk of tokens at a time. */
export class StepInputs {
  readonly batch: number;
  readonly tokens: number;
  /** Valid tokens of each batch row; the rest is padding on the right. */
  readonly lengths: readonly number[];
  readonly #inputs: ModelInputs;
  readonly #given: ReadonlyMap<string, RuntimeTensor>;
  readonly #past: readonly number[];

  constructor(
    where: string,
    inputs: ModelInputs,
    given: ReadonlyMap<string, RuntimeTensor>,
    { past, lengths }: StepState,
  ) {
    this.#inputs = inputs;
    this.#given = given;
    const [batch, tokens] = given.get(inputs.text)!.dims as [number, number];
    this.batch = batch;
    this.tokens = tokens;
    if (!(batch >= 1 && tokens >= 1)) {
      throw inputError(
        `${where}: ${inputs.text}`,
        'at least one row and one token',
        [batch, tokens],
        {
          code: 'INVALID_SHAPE',
        },
      );
    }
    if (past && past.length !== batch) {
      throw inputError(where, `${past.length} rows, the batch of the sequence`, batch, {
        code: 'INVALID_SHAPE',
      });
    }
    this.#past = past ?? new Array<number>(batch).fill(0);
    this.lengths = lengths ? this.#checked(where, lengths) : this.#lengths(where);
    this.#assertPositions(where);
  }

  /** Tokens of each row before token `start` of this step. */
  before(start: number): number[] {
    return this.#past.map((past, row) => past + Math.min(start, this.lengths[row]));
  }

  /** Valid tokens of each row inside a chunk. */
  lengthsIn({ start, end }: Span): number[] {
    return this.lengths.map((length) => Math.min(end, Math.max(start, length)) - start);
  }

  /** Feeds by name for whatever pieces read, caches left out. */
  feeds(span: Span): Map<string, RuntimeTensor> {
    const { site, declared } = this.#inputs;
    const feeds = new Map<string, RuntimeTensor>();
    for (const { name } of declared) {
      if (site.read.has(name)) feeds.set(name, this.#feed(name, span));
    }
    if (site.read.has(LOGITS_TO_KEEP)) feeds.set(LOGITS_TO_KEEP, this.#allLogits());
    if (site.read.has(POSITIONS)) feeds.set(POSITIONS, this.#positions('int64', span));
    return feeds;
  }

  #feed(name: string, span: Span): RuntimeTensor {
    const type = this.#inputs.find(name)!.type as ElementType;
    const given = this.#given.get(name);
    if (name === 'attention_mask') return this.#mask(type, span);
    if (!given) return this.#make(name, type, span);
    const axis = this.#inputs.tokenAxis(name);
    const whole = span.end - span.start === this.tokens;
    if (axis === undefined || whole) return given;
    return sliceTensor(this.#inputs.site.runtime, given, { axis, ...span });
  }

  #make(name: string, type: ElementType, span: Span): RuntimeTensor {
    if (name === 'position_ids') return this.#positions(type, span);
    const tokens = span.end - span.start;
    const zeros = new Array<number>(this.batch * tokens).fill(0);
    const { runtime } = this.#inputs.site;
    return makeTensor(runtime, type, elementsOf(type, zeros), [this.batch, tokens]);
  }

  #allLogits(): RuntimeTensor {
    const { runtime, graph } = this.#inputs.site;
    const dims = (graph.shape(LOGITS_TO_KEEP) ?? []).map(() => 1);
    return makeTensor(runtime, 'int64', elementsOf('int64', [0]), dims);
  }

  /** Counted on from what came before; padding stays where the last token is. */
  #positions(type: ElementType, span: Span): RuntimeTensor {
    const tokens = span.end - span.start;
    const lengths = this.lengthsIn(span);
    const values = this.before(span.start).flatMap((first, row) =>
      Array.from({ length: tokens }, (_, i) => first + Math.min(i, Math.max(0, lengths[row] - 1))),
    );
    const dims = [this.batch, tokens];
    return makeTensor(this.#inputs.site.runtime, type, elementsOf(type, values), dims);
  }

  /** `[batch, past + tokens]`: ones for what is valid, so that positions may be counted by them. */
  #mask(type: ElementType, { end }: Span): RuntimeTensor {
    const past = Math.max(...this.#past);
    const total = past + end;
    const values = this.lengths.flatMap((length, row) =>
      Array.from({ length: total }, (_, i) =>
        Number(i < past ? i < this.#past[row] : i - past < length),
      ),
    );
    return makeTensor(this.#inputs.site.runtime, type, elementsOf(type, values), [
      this.batch,
      total,
    ]);
  }

  #assertPositions(where: string): void {
    const { positions } = this.#inputs.site;
    const end = Math.max(...this.before(this.tokens));
    if (end <= positions) return;
    throw new CacheError(`${where}: expected at most ${positions} tokens, got ${end}`, {
      code: 'CAPACITY_EXCEEDED',
      expected: positions,
      actual: end,
      hint: 'the rotary tables of the model have no more positions',
    });
  }

  #checked(where: string, lengths: readonly number[]): readonly number[] {
    const { batch, tokens } = this;
    if (lengths.length !== batch) {
      throw inputError(where, `${batch} lengths, one a batch row`, lengths.length);
    }
    for (const one of lengths) assertWhole(where, 'lengths', one, { min: 0, max: tokens });
    return [...lengths];
  }

  /** From `attention_mask`, `[batch, tokens]` or with the past before it. */
  #lengths(where: string): number[] {
    const mask = this.#given.get('attention_mask');
    if (!mask) return new Array<number>(this.batch).fill(this.tokens);
    const columns = mask.dims[1];
    const past = Math.max(0, ...this.#past);
    if (
      mask.dims[0] !== this.batch ||
      (columns !== this.tokens && columns !== past + this.tokens)
    ) {
      const expected = `[${this.batch}, ${past + this.tokens}]`;
      throw inputError(`${where}: attention_mask`, expected, [...mask.dims], {
        code: 'INVALID_SHAPE',
      });
    }
    const values = Array.from(mask.data as ArrayLike<number | bigint>, Number);
    return Array.from({ length: this.batch }, (_, row) =>
      validLength(where, values.slice((row + 1) * columns - this.tokens, (row + 1) * columns)),
    );
  }
}

/** How many ones a row of the mask begins with; zeros may only follow. */
function validLength(where: string, row: readonly number[]): number {
  const first = row.indexOf(0);
  const length = first < 0 ? row.length : first;
  if (row.slice(length).every((value) => value === 0)) return length;
  throw inputError(`${where}: attention_mask`, 'padding on the right', 'ones behind zeros', {
    code: 'UNSUPPORTED',
    hint: 'pad the batch on the right, or run its texts one by one',
  });
}
