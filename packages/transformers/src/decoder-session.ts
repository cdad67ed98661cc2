import { inputError } from '@jit-attention/core';
import type {
  Feeds,
  RuntimeFeeds,
  RuntimeSession,
  RuntimeTensor,
  StepOptions,
} from '@jit-attention/onnx';

import type { Caches } from './caches.js';
import { isPast } from './loaded-model.js';
import { addColumns, type Columns, shiftLeft, tokensOf } from './padding.js';
import { type Parts, StandIn } from './stand-in.js';

const LOGITS = 'num_logits_to_keep';

/**
 * Stands in for the session of a decoder. It asks transformers.js for the inputs of the original, but for one tensor of
 * the cache alone, and for how many rows of logits are wanted: `generate` wants the last, `forward` all of them.
 */
export class DecoderSession extends StandIn {
  /** The input, and the output, that a cache is passed in. */
  readonly past: string;
  readonly present: string;
  readonly #caches: Caches;

  constructor(original: RuntimeSession, parts: Parts & { readonly caches: Caches }) {
    const past = original.inputNames.find(isPast)!;
    const present = past.replace('past_key_values', 'present');
    const cache = parts.caches.metadata;
    super(parts, {
      inputs: [
        ...original.inputMetadata.filter(({ name }) => !isPast(name) && name !== LOGITS),
        { name: LOGITS, isTensor: true, type: 'int64', shape: [] },
        { ...cache, name: past },
      ],
      outputs: [...parts.model.outputs, { ...cache, name: present }],
    });
    this.past = past;
    this.present = present;
    this.#caches = parts.caches;
  }

  protected override async answer(feeds: RuntimeFeeds): Promise<RuntimeFeeds> {
    const tokens = tokensIn(feeds, feeds[this.past]);
    const { outputs, present } = await this.#caches.goOn(
      feeds[this.past],
      async (sequence, past) => {
        const columns = addColumns(past, tokens, feeds.attention_mask);
        const { inputs, lengths } = this.#withoutPadding(feeds, past, columns);
        const logits = rowsOfLogits(feeds[LOGITS], tokens);
        return { columns, outputs: await sequence.step(inputs, { logits, lengths }) };
      },
    );
    return { ...outputs, [this.present]: present };
  }

  /** What the model takes in; the mask has been read, and is all ones without the padding. */
  #withoutPadding(
    feeds: RuntimeFeeds,
    past: Columns,
    columns: Columns,
  ): { inputs: Feeds; lengths: StepOptions['lengths'] } {
    const names = this.model.inputs.map(({ name }) => name);
    const wanted = Object.entries(feeds).filter(
      ([name]) => names.includes(name) && name !== 'attention_mask',
    );
    const inputs = Object.fromEntries(wanted);
    const lengths = columns.padding.map((_, row) => tokensOf(columns, row) - tokensOf(past, row));
    const tokens = columns.count - past.count;
    if (lengths.every((length) => length === tokens)) return { inputs, lengths: undefined };
    return { inputs: shiftLeft(inputs, tokens, lengths), lengths };
  }
}

/** @throws {InputError} `INVALID_SHAPE` */
function tokensIn(feeds: RuntimeFeeds, past: RuntimeTensor): number {
  const [batch, tokens] = (feeds.inputs_embeds ?? feeds.input_ids).dims;
  if (batch === past.dims[0]) return tokens;
  throw inputError('generate', `a cache of ${batch} texts, as many as the input`, past.dims[0], {
    code: 'INVALID_SHAPE',
  });
}

/** All are asked for by number: the rows of a padded batch then come out in the columns they went in by. */
function rowsOfLogits(wanted: RuntimeTensor, tokens: number): number {
  const rows = Number((wanted.data as BigInt64Array)[0]);
  return rows === 0 ? tokens : Math.min(rows, tokens);
}
