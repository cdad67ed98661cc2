import { type ErrorCode, InputError, ModelError } from '@jit-attention/core';

/** A GGUF file is damaged, or lacks what a conversion needs. */
export function invalid(message: string, hint: string, cause?: unknown): ModelError {
  return new ModelError(message, { code: 'MODEL_INVALID', hint, cause });
}

/** A GGUF file is sound, and holds something that this tool does not convert. */
export function unsupported(message: string, hint: string): ModelError {
  return new ModelError(message, { code: 'UNSUPPORTED', hint });
}

/** A path is not what it should be. */
export function pathError(message: string, code: ErrorCode, hint: string): InputError {
  return new InputError(message, { code, hint });
}
