import { type Backend, reference } from '@jit-attention/core';

/** Runs on a fresh backend, and ends it. */
export async function onBackend(
  create: (() => Backend | Promise<Backend>) | undefined,
  body: (backend: Backend) => Promise<void>,
): Promise<void> {
  const backend = await (create ?? reference)();
  try {
    await body(backend);
  } finally {
    await backend.dispose?.();
  }
}

/** @throws {Error} when `body` leaves tensors alive */
export async function withoutLeaks(backend: Backend, body: () => Promise<void>): Promise<void> {
  const before = backend.memory().tensors;
  await body();
  const left = backend.memory().tensors - before;
  if (left !== 0) throw new Error(`expected all tensors to be freed, got ${left} still alive`);
}
