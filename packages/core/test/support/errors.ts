import { expect } from 'vitest';

/** An error with these details, to expect of a call: `expect(call).toThrow(errorWith({ code }))`. */
export const errorWith = (details: Record<string, unknown>): Error =>
  expect.objectContaining(details) as Error;
