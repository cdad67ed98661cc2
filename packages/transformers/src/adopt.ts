import { inputError } from '@jit-attention/core';
import { adopt, type AdoptOptions, type ModelSource } from '@jit-attention/onnx';

import { TransformersHandle } from './handle.js';
import { fileOf, providersOf } from './load-options.js';
import { findSession, type LoadedModel, type Place } from './loaded-model.js';
import { runtimeOf } from './runtime.js';
import { StandIn } from './stand-in.js';

const WHERE = 'adoptTransformers';

/** As for `adopt()`, but that ONNX Runtime is the one that has loaded the model. */
export interface AdoptTransformersOptions extends Omit<AdoptOptions, 'runtime'> {
  /**
   * The directory that the model was loaded from (Node), or its files: what ONNX Runtime has loaded cannot be had back
   * from it.
   */
  readonly source: ModelSource;
  /**
   * Whether the session that is replaced stays loaded, so that `restore()` can put it back. Default true; false frees
   * its weights.
   */
  readonly keepOriginal?: boolean | undefined;
}

/**
 * Puts our attention into a causal language model, or an encoder, that transformers.js has loaded. Its session is
 * replaced; `generate`, streamers, chat templates, stopping criteria and a `DynamicCache` kept from call to call go on
 * as before. Several texts may be generated at the same time, in batches as well (padded on the left, as ever).
 *
 *     const generator = await pipeline('text-generation', directory);
 *     const strategy = topk({ budget: 1024 });
 *     const handle = await adoptTransformers(generator.model, { source: directory, strategy });
 *     await generator(messages, { max_new_tokens: 200 });
 *     await handle.restore();
 *
 * By default `file` is what transformers.js loads for the model's `dtype`, and `session` has the execution provider
 * of its `device`. If anything is wrong the model stays as it was.
 *
 * @param model what `AutoModelForCausalLM.from_pretrained()` gives, or the `.model` of a pipeline
 * @throws {InputError} `INVALID_OPTION`, `MISSING_INPUT`; `UNSUPPORTED` (encoder-decoders, models with states that are
 *   no keys and values, ONNX Runtime in a worker); and as `adopt()` of `@jit-attention/onnx`
 * @throws {ModelError} `MODEL_INVALID`; `MODEL_MISMATCH` when the source gives other results than the loaded model
 * @throws {BackendError} `BACKEND_FAILED`
 */
export async function adoptTransformers(
  model: LoadedModel,
  options: AdoptTransformersOptions,
): Promise<TransformersHandle> {
  const place = findSession(model);
  assertOriginal(place);
  const { source, keepOriginal = true, ...rest } = checked(options);
  const runtime = await runtimeOf(place.session);
  const adopted = await adopt(source, {
    ...rest,
    runtime,
    session: { ...rest.session, executionProviders: providersOf(place, rest) },
    file: rest.file ?? fileOf(place, source),
    verify: verification(place, rest),
  });
  const handle = new TransformersHandle(place, adopted, runtime);
  if (!keepOriginal) await handle.releaseOriginal();
  return handle;
}

/** The loaded model is the original to compare with: no other one is loaded. */
function verification({ session }: Place, { verify = true }: AdoptOptions): AdoptOptions['verify'] {
  if (verify === false) return false;
  return { ...(verify === true ? {} : verify), original: session };
}

function checked(options: AdoptTransformersOptions): AdoptTransformersOptions {
  if (options?.source === undefined)
    throw inputError(WHERE, 'the source that the model was loaded from', 'none', {
      code: 'MISSING_INPUT',
      hint: 'pass source: the directory, or the files as { config, model, externalData }',
    });
  const { keepOriginal = true } = options;
  if (typeof keepOriginal === 'boolean') return options;
  throw inputError(WHERE, 'keepOriginal to be true or false', keepOriginal);
}

function assertOriginal({ session }: Place): void {
  if (!(session instanceof StandIn)) return;
  throw inputError(WHERE, 'a model as it was loaded', 'an adopted one', {
    hint: 'call restore() of its handle first',
  });
}
