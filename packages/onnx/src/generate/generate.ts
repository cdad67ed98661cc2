import { assertKnown, assertWhole, inputError } from '@jit-attention/core';

import type { Feeds, GenerateOptions, SequenceOfModel } from '../model.js';
import { toFloats } from '../run/tensors.js';
import { makeSampler } from './sampling.js';

export interface GenerateSite {
  readonly sequence: () => SequenceOfModel;
  /** Ids that end a text, by the model's configuration. */
  readonly stop: readonly number[];
  /** The most tokens of a text, prompt included. */
  readonly maxLength: number;
}

const OPTIONS = ['maxNewTokens', 'sampling', 'stop', 'sequence', 'signal'];

/** See `AdoptedModel.generate`. Options are checked when the first token is asked for. */
export async function* generate(
  site: GenerateSite,
  ids: readonly number[],
  options: GenerateOptions,
): AsyncGenerator<number, void, void> {
  assertKnown('generate', options, OPTIONS);
  const { maxNewTokens = Infinity, stop = site.stop, signal } = options;
  if (maxNewTokens !== Infinity) assertWhole('generate', 'maxNewTokens', maxNewTokens, { min: 0 });
  if (!(Array.isArray(ids) && ids.length > 0))
    throw inputError('generate', 'at least one token id', ids);
  const sample = makeSampler(options.sampling);
  const sequence = options.sequence ?? site.sequence();
  try {
    let next = ids;
    for (let count = 0; count < maxNewTokens; count++) {
      if (sequence.length + next.length > site.maxLength) return;
      const outputs = await sequence.step(feedsOf(next), { logits: 1, signal });
      const token = sample(toFloats(outputs['logits']));
      yield token;
      if (stop.includes(token)) return;
      next = [token];
    }
  } finally {
    if (!options.sequence) sequence.dispose();
  }
}

export function feedsOf(ids: readonly number[]): Feeds {
  return { input_ids: { dims: [1, ids.length], data: ids } };
}
