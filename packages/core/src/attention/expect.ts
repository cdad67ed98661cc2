import { type ErrorCode, inputError } from '../errors.js';
import type { Tensor } from '../tensor.js';

/** Throws an `InputError`, `where: expected what, got actual`, unless `ok`. */
type Expect = (where: string, what: string, ok: boolean, actual: unknown) => void;

const expected =
  (code: ErrorCode): Expect =>
  (where, what, ok, actual) => {
    if (!ok) throw inputError(where, what, actual, { code });
  };
export const expectShape: Expect = expected('INVALID_SHAPE');
export const expectOption: Expect = expected('INVALID_OPTION');

/** A boolean, not a guard: `Array.isArray` would make `any` of what a readonly array holds. */
export const isList = (value: unknown): boolean => Array.isArray(value);

export const isWhole = (value: unknown, min: number, max: number = Infinity): boolean =>
  Number.isInteger(value) && (value as number) >= min && (value as number) <= max;

/** @throws {InputError} `INVALID_SHAPE` unless the tensor has exactly this shape */
export function expectEqual(
  where: string,
  what: string,
  shape: readonly number[],
  tensor: Tensor,
): void {
  const ok = tensor.shape.join() === shape.join();
  expectShape(where, `${what} [${shape.join(', ')}]`, ok, [...tensor.shape]);
}
