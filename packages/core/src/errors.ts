/**
 * Every error of the project: one base class, a stable `code`, what was expected and what came, and a hint.
 *
 * Errors are recognised by a symbol in the global registry, so `JitAttentionError.is` holds across two
 * installed copies of core (the way of vercel/ai's spec package).
 */
const BRAND = Symbol.for('jit-attention.error');

/** Stable identifiers; each has a heading of the same name in `docs/errors.md`. */
export type ErrorCode =
  | 'INVALID_OPTION'
  | 'INVALID_SHAPE'
  | 'INVALID_DTYPE'
  | 'MISSING_INPUT'
  | 'BUDGET_TOO_SMALL'
  | 'UNSUPPORTED'
  | 'TENSOR_DISPOSED'
  | 'SEQUENCE_DISPOSED'
  | 'SEQUENCE_BUSY'
  | 'BACKEND_MISMATCH'
  | 'CAPACITY_EXCEEDED'
  | 'ROLLBACK_EXCEEDED'
  | 'PLAN_MISMATCH'
  | 'PLAN_INVALID'
  | 'ENTRY_FREED'
  | 'STRATEGY_FAILED'
  | 'BACKEND_FAILED'
  | 'MODEL_INVALID'
  | 'MODEL_MISMATCH'
  | 'ABORTED';

export interface ErrorDetails {
  code: ErrorCode;
  /** What would have been right, for example `headDim 64`. */
  expected?: unknown;
  /** What came instead. */
  actual?: unknown;
  /** What to do about it; one sentence. */
  hint?: string | undefined;
  cause?: unknown;
}

export class JitAttentionError extends Error {
  readonly code: ErrorCode;
  readonly expected: unknown;
  readonly actual: unknown;
  readonly hint: string | undefined;
  /** Where the code is explained, inside the repository. */
  readonly docs: string;

  constructor(message: string, details: ErrorDetails) {
    super(details.hint ? `${message}\n  hint: ${details.hint}` : message, { cause: details.cause });
    this.name = 'JitAttentionError';
    this.code = details.code;
    this.expected = details.expected;
    this.actual = details.actual;
    this.hint = details.hint;
    this.docs = `docs/errors.md#${details.code.toLowerCase()}`;
    Object.defineProperty(this, BRAND, { value: true });
  }

  /** True for errors of this project, whichever copy of core made them. */
  static is(error: unknown): error is JitAttentionError {
    return typeof error === 'object' && error !== null && BRAND in error;
  }
}

/** A value given by the caller is wrong: options, shapes, dtypes, missing inputs. */
export class InputError extends JitAttentionError {
  override name = 'InputError';
}

/** A handle is used after its life, or by somebody it does not belong to. */
export class LifetimeError extends JitAttentionError {
  override name = 'LifetimeError';
}

/** The KV cache or an index cannot do what is asked: full, or already forgotten. */
export class CacheError extends JitAttentionError {
  override name = 'CacheError';
}

/** A plan is malformed, or does not fit the call that replays it. */
export class PlanError extends JitAttentionError {
  override name = 'PlanError';
}

/** A strategy's own code threw; the message names the strategy and the stage, `cause` is what it threw. */
export class StrategyError extends JitAttentionError {
  override name = 'StrategyError';
}

/** A device or worker failed. */
export class BackendError extends JitAttentionError {
  override name = 'BackendError';
}

/** A model file is not what it should be, or computes something else than its original. */
export class ModelError extends JitAttentionError {
  override name = 'ModelError';
}

/** The caller's `signal` was aborted; nothing was changed. */
export class AbortError extends JitAttentionError {
  override name = 'AbortError';
}

/** `where: expected X, got Y`, as an {@link InputError}. */
export function inputError(
  where: string,
  expected: string,
  actual: unknown,
  options: { code?: ErrorCode; hint?: string | undefined } = {},
): InputError {
  return new InputError(`${where}: expected ${expected}, got ${format(actual)}`, {
    code: options.code ?? 'INVALID_OPTION',
    expected,
    actual,
    hint: options.hint,
  });
}

function format(value: unknown): string {
  if (typeof value === 'string') return value.length > 0 ? value : "''";
  if (typeof value === 'function') return `function ${value.name}`.trimEnd();
  if (Array.isArray(value)) return `[${value.join(', ')}]`;
  if (typeof value === 'object' && value !== null) return value.constructor?.name ?? 'object';
  return String(value);
}
