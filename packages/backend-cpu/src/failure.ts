import { BackendError } from '@jit-attention/core';

/** What a caller can catch, and go on with a fresh backend. */
export function failed(what: string, cause?: unknown): BackendError {
  return new BackendError(`cpu: ${what}`, {
    code: 'BACKEND_FAILED',
    hint: 'dispose of this backend and make a fresh one',
    cause,
  });
}
