import type { ErrorCode } from '@jit-attention/core';
import { expect } from 'vitest';

/** For `toThrow`: an error of this code whose message (hint included) has these words. */
export function failure(code: ErrorCode, words: string): Error {
  const message = expect.stringContaining(words) as string;
  return expect.objectContaining({ code, message }) as Error;
}
