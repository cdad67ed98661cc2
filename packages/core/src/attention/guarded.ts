import { JitAttentionError, StrategyError } from '../errors.js';
import type { AttentionStrategy } from '../strategy.js';

/** Runs a strategy's code; what it throws, or rejects with, becomes {@link strategyFailure}. */
export async function guarded<T>(
  strategy: AttentionStrategy,
  stage: string,
  run: () => T | Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    throw strategyFailure(strategy, stage, cause);
  }
}

/** `STRATEGY_FAILED` with the strategy's name and the stage; errors of ours say enough themselves. */
export function strategyFailure(
  { name }: AttentionStrategy,
  stage: string,
  cause: unknown,
): JitAttentionError {
  if (JitAttentionError.is(cause)) return cause;
  const message = String((cause as Error)?.message ?? cause);
  return new StrategyError(`strategy ${name} failed in ${stage}: ${message}`, {
    code: 'STRATEGY_FAILED',
    expected: `${stage} to succeed`,
    actual: cause,
    hint: `report it to the author of ${name}; the sequence is as it was before the call`,
    cause,
  });
}
