import { inputError } from './errors.js';
import type { AttentionStrategy } from './strategy.js';

/**
 * Whether something is a strategy, before it is used as one.
 * @throws {InputError} `INVALID_OPTION`; `UNSUPPORTED` for another `apiVersion`
 */
export function assertStrategy(
  where: string,
  strategy: unknown,
): asserts strategy is AttentionStrategy {
  assertPlugin(where, 'strategy', strategy, 'plan');
  const { name, supports } = strategy as Partial<AttentionStrategy>;
  if (typeof name !== 'string') throw inputError(where, 'a strategy with a name', name);
  for (const what of ['exact', 'sync', 'bidirectional'] as const) {
    const said = (supports as Partial<AttentionStrategy['supports']> | undefined)?.[what];
    if (typeof said === 'boolean') continue;
    throw inputError(where, `${name} to say whether it supports.${what}`, said);
  }
}

/** An object with this method, and of this version of the interface. */
export function assertPlugin(
  where: string,
  role: 'backend' | 'strategy',
  plugin: unknown,
  method: string,
): void {
  const candidate = plugin as Record<string, unknown> | null | undefined;
  if (typeof candidate?.[method] !== 'function') {
    const called = typeof plugin === 'function' ? ' (a factory that was not called?)' : '';
    throw inputError(where, `a ${role}, an object with ${method}()${called}`, plugin);
  }
  if (candidate.apiVersion === 1) return;
  throw inputError(where, `a ${role} of apiVersion 1`, candidate.apiVersion, {
    code: 'UNSUPPORTED',
    hint: `update ${String(candidate.name)} or @jit-attention/core, so that both speak the same version`,
  });
}
