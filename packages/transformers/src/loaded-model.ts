import { inputError } from '@jit-attention/core';
import type { RuntimeSession } from '@jit-attention/onnx';

/**
 * What is used of a model that transformers.js has loaded, whichever class it has. `sessions` is private to
 * transformers.js; `test/contract.test.ts` holds what we rely on.
 */
export interface LoadedModel {
  /** Sessions of ONNX Runtime by name. */
  readonly sessions: Record<string, unknown>;
}

/** A session as transformers.js keeps it: ONNX Runtime's, and how it was loaded. */
export interface LoadedSession extends RuntimeSession {
  readonly config?: { readonly dtype?: string; readonly device?: string } | undefined;
}

/** Where the session to be replaced is. */
export interface Place {
  readonly sessions: Record<string, unknown>;
  /** `'model'`; `'decoder_model_merged'` for the decoder of a model with several parts. */
  readonly name: string;
  readonly session: LoadedSession;
}

const WHERE = 'adoptTransformers';

/**
 * Finds the session that reads the text, in the order in which transformers.js looks for it.
 *
 * @throws {InputError} `INVALID_OPTION` for what is no loaded model, `UNSUPPORTED` for encoder-decoders
 */
export function findSession(model: LoadedModel): Place {
  const { sessions } = (model ?? {}) as Partial<LoadedModel>;
  if (typeof sessions !== 'object' || sessions === null) throw notAModel(model);
  const name = 'decoder_model_merged' in sessions ? 'decoder_model_merged' : 'model';
  const session = sessions[name] as LoadedSession | undefined;
  if (!isSession(session)) throw notAModel(model);
  assertDecoderOnly(session);
  return { sessions, name, session };
}

function notAModel(given: unknown): Error {
  const isPipeline = typeof given === 'object' && given !== null && 'model' in given;
  return inputError(WHERE, 'a model that transformers.js has loaded', given, {
    hint: isPipeline
      ? "pass the pipeline's .model"
      : 'pass what AutoModelForCausalLM.from_pretrained() gives, or the .model of a pipeline',
  });
}

function isSession(session: LoadedSession | undefined): session is LoadedSession {
  return Array.isArray(session?.inputMetadata) && typeof session.run === 'function';
}

/** Keys and values of an encoder, and states that are no keys and values, are not ours to keep. */
function assertDecoderOnly({ inputNames }: LoadedSession): void {
  const other = inputNames.find((name) => name.startsWith('past') && !isPast(name));
  if (other === undefined) return;
  throw inputError(WHERE, 'a cache of keys and values alone', `the model's input '${other}'`, {
    code: 'UNSUPPORTED',
    hint: 'decoders whose every cached layer is attention can be adopted; leave this model as it is',
  });
}

/** Whether an input is the keys or values of a decoder's layer. */
export function isPast(name: string): boolean {
  return /^past_key_values\.\d+\.(key|value)$/.test(name);
}
