import { BackendError } from '@jit-attention/core';

/** What a caller can catch, and go on with a fresh backend. */
export function failed(
  what: string,
  options: { cause?: unknown; hint?: string } = {},
): BackendError {
  const { cause, hint = 'dispose of this backend and make a fresh one' } = options;
  return new BackendError(`webgpu: ${what}`, { code: 'BACKEND_FAILED', hint, cause });
}

/** What a device cannot hold or run: which limit, how much of it was needed, how much there is. */
export function exceeds(limit: string, needed: number, available: number): BackendError {
  return new BackendError(`webgpu: expected ${limit} of at least ${needed}, got ${available}`, {
    code: 'BACKEND_FAILED',
    expected: `${limit} of at least ${needed}`,
    actual: available,
    hint: 'ask for less at a time, or make the device with a larger limit (the adapter says how much it has)',
  });
}
