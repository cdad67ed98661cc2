import { trialFeeds } from '../build/trial-feeds.js';
import { Context, type LeftCache } from '../run/context.js';
import type { Engine } from '../run/engine.js';
import type { ModelLayer } from '../run/layer.js';
import { toFloats } from '../run/tensors.js';

/** An output of one step: its numbers, and which of them count. */
export interface Shown {
  readonly name: string;
  readonly data: Float32Array;
}

export interface Passed {
  readonly engine: Engine;
  readonly layers: readonly ModelLayer[];
  readonly left: readonly LeftCache[];
}

/** Tokens after the prompt, which go by the cache. */
const MORE = 4;

/**
 * What a model gives for a made-up text: a decoder for a prompt and a few tokens more, by its cache; others for two
 * texts, one of them padded.
 */
export async function pass(passed: Passed, tokens: number, isDecoder: boolean): Promise<Shown[][]> {
  return isDecoder ? decode(passed, tokens) : [await encode(passed, tokens)];
}

async function decode({ engine, layers, left }: Passed, tokens: number): Promise<Shown[][]> {
  const { runtime } = engine.site;
  const context = Context.create(runtime, layers, left, { batch: 1, capacity: undefined });
  try {
    const prompt = await step(engine, context, tokens, [tokens]);
    return [prompt, await step(engine, context, MORE, [MORE])];
  } finally {
    context.dispose();
  }
}

function encode({ engine }: Passed, tokens: number): Promise<Shown[]> {
  return step(engine, undefined, tokens, [tokens, Math.ceil(tokens / 2)]);
}

async function step(
  engine: Engine,
  context: Context | undefined,
  tokens: number,
  lengths: readonly number[],
): Promise<Shown[]> {
  const { inputs } = engine.site;
  const feeds = trialFeeds(inputs, {
    batch: lengths.length,
    tokens,
    from: context?.lengths[0] ?? 0,
  });
  const checked = inputs.check('adopt', feeds, { past: context?.lengths, lengths });
  const span = { start: 0, end: tokens };
  const outputs = await engine.chunk({
    ...{ step: checked, span, rows: tokens, context },
    signal: undefined,
  });
  return [...outputs]
    .filter(([, { type }]) => type.startsWith('float'))
    .map(([name, tensor]) => ({
      name,
      data: valid(tensor.dims, toFloats(tensor), tokens, lengths),
    }));
}

/** Zeros where a text is padding: what is there means nothing. */
function valid(
  dims: readonly number[],
  data: Float32Array,
  tokens: number,
  lengths: readonly number[],
): Float32Array {
  const axis = dims.indexOf(tokens, 1);
  if (axis < 0) return data;
  const inner = dims.slice(axis + 1).reduce((a, b) => a * b, 1);
  const perRow = data.length / dims[0];
  return data.map((value, i) => {
    const token = Math.floor(i / inner) % tokens;
    return token < lengths[Math.floor(i / perRow)] ? value : 0;
  });
}
