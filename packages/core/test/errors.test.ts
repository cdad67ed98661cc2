import {
  AbortError,
  BackendError,
  CacheError,
  type ErrorCode,
  InputError,
  inputError,
  JitAttentionError,
  LifetimeError,
  PlanError,
  StrategyError,
} from '@jit-attention/core';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

/** Every code; the compiler sees to it that none is left out. */
const CODES: Record<ErrorCode, true> = {
  INVALID_OPTION: true,
  INVALID_SHAPE: true,
  INVALID_DTYPE: true,
  MISSING_INPUT: true,
  BUDGET_TOO_SMALL: true,
  UNSUPPORTED: true,
  TENSOR_DISPOSED: true,
  SEQUENCE_DISPOSED: true,
  SEQUENCE_BUSY: true,
  BACKEND_MISMATCH: true,
  CAPACITY_EXCEEDED: true,
  ROLLBACK_EXCEEDED: true,
  PLAN_MISMATCH: true,
  PLAN_INVALID: true,
  ENTRY_FREED: true,
  STRATEGY_FAILED: true,
  BACKEND_FAILED: true,
  MODEL_INVALID: true,
  MODEL_MISMATCH: true,
  ABORTED: true,
};
const codes = Object.keys(CODES) as ErrorCode[];

const ROOT = new URL('../../../', import.meta.url);

describe('the page of errors', () => {
  const page = readFileSync(new URL('docs/errors.md', ROOT), 'utf8');
  const headings = [...page.matchAll(/^## (.*)$/gm)].map(([, heading]) => heading);

  it('has a heading for every code, and for nothing else', () => {
    expect([...headings].sort()).toEqual([...codes].sort());
  });

  it('is where `docs` of an error points', () => {
    for (const code of codes) {
      const [path, anchor] = new JitAttentionError('', { code }).docs.split('#');
      expect(path).toBe('docs/errors.md');
      // The anchor that GitHub and documentation sites make of a heading.
      expect(headings.map((heading) => heading.toLowerCase())).toContain(anchor);
    }
  });

  it('lists every code under its class, and links to it', () => {
    for (const code of codes) expect(page).toContain(`[${code}](#${code.toLowerCase()})`);
  });
});

describe('an error', () => {
  it('says what was expected, what came, and what to do', () => {
    const cause = new Error('deeper');
    const details = { code: 'BACKEND_FAILED', expected: 1, actual: 2, hint: 'do', cause } as const;
    const error = new BackendError('it failed', details);
    expect(error).toMatchObject({
      ...details,
      name: 'BackendError',
      docs: 'docs/errors.md#backend_failed',
    });
    expect(error.message).toBe('it failed\n  hint: do');
    expect(error).toBeInstanceOf(Error);
    expect(new JitAttentionError('plain', { code: 'ABORTED' }).message).toBe('plain');
  });

  it('bears the name of its class', () => {
    const classes = {
      InputError,
      LifetimeError,
      CacheError,
      PlanError,
      StrategyError,
      BackendError,
      AbortError,
    };
    for (const [name, Class] of Object.entries(classes)) {
      const error = new Class('', { code: 'ABORTED' });
      expect(error.name).toBe(name);
      expect(error).toBeInstanceOf(JitAttentionError);
    }
  });

  it('is recognised across two installed copies of core', () => {
    const foreign = Object.defineProperty(new Error(), Symbol.for('jit-attention.error'), {
      value: true,
    });
    expect(JitAttentionError.is(foreign)).toBe(true);
    expect(JitAttentionError.is(new JitAttentionError('', { code: 'ABORTED' }))).toBe(true);
    for (const other of [new Error(), { code: 'ABORTED' }, null, undefined, 'ABORTED'])
      expect(JitAttentionError.is(other)).toBe(false);
  });
});

describe('inputError', () => {
  const got = (actual: unknown): string => inputError('here', 'this', actual).message;

  it('shows what came', () => {
    expect(got(80)).toBe('here: expected this, got 80');
    expect(got('')).toBe("here: expected this, got ''");
    expect(got([1, 2])).toBe('here: expected this, got [1, 2]');
    expect(got(null)).toBe('here: expected this, got null');
    expect(got(new Float64Array(2))).toBe('here: expected this, got Float64Array');
    expect(got(Object.create(null))).toBe('here: expected this, got object');
    expect(got(function factory() {})).toBe('here: expected this, got function factory');
    expect(got(() => 1)).toBe('here: expected this, got function');
  });

  it('is an INVALID_OPTION unless told otherwise', () => {
    expect(inputError('', '', 0).code).toBe('INVALID_OPTION');
    expect(inputError('', '', 0, { code: 'UNSUPPORTED' }).code).toBe('UNSUPPORTED');
  });
});
