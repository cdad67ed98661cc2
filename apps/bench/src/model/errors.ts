import { AbortError, InputError } from '@jit-attention/core';

/** A file is not there, or not what it should be. */
export function fileError(message: string, hint: string, cause?: unknown): InputError {
  return new InputError(message, { code: 'MISSING_INPUT', hint, cause });
}

/** A model does something that capturing does not know; `--qkv` is always the way round. */
export function unsupported(message: string, hint?: string): InputError {
  const way = 'take its queries, keys and values in its own framework and pass them by --qkv';
  return new InputError(message, { code: 'UNSUPPORTED', hint: hint ? `${hint}; or ${way}` : way });
}

export function throwIfAborted(where: string, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return;
  throw new AbortError(`${where}: aborted`, { code: 'ABORTED', cause: signal.reason });
}
