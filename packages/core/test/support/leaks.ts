import { type Backend, reference } from '@jit-attention/core';
import { expect } from 'vitest';

/**
 * Runs a scenario on a backend of its own and holds it to giving back every tensor it made or was given.
 * Audits read their numbers behind the call, so their tensors go a few turns of the loop later.
 */
export async function leakFree(
  scenario: (backend: Backend) => void | Promise<void>,
): Promise<void> {
  const backend = reference();
  await scenario(backend);
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(backend.memory(), 'tensors left behind').toEqual({ tensors: 0, bytes: 0 });
}
