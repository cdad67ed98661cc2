import { type ErrorCode, JitAttentionError } from '@jit-attention/core';

/**
 * Holds a failure to the project's rules: a `JitAttentionError` with this code that says what was expected and
 * what came.
 *
 * @throws {Error} when `act` succeeds or fails in another way
 */
export async function assertFails(code: ErrorCode, act: () => unknown): Promise<void> {
  const error = await failureOf(act);
  if (!JitAttentionError.is(error) || error.code !== code)
    throw new Error(`expected an error ${code}, got ${describe(error)}`, { cause: error });
  const saysBoth = error.expected !== undefined && error.actual !== undefined;
  // An abort is the caller's own wish.
  if (code === 'ABORTED' || saysBoth || /expected .+, got .+/s.test(error.message)) return;
  throw new Error(`${code}: expected a message with expected and actual, got ${error.message}`);
}

async function failureOf(act: () => unknown): Promise<unknown> {
  try {
    await act();
    return undefined;
  } catch (error) {
    return error;
  }
}

function describe(error: unknown): string {
  if (error === undefined) return 'none';
  return error instanceof Error ? `${error.name}: ${error.message}` : JSON.stringify(error);
}
