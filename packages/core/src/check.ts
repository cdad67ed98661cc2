import { inputError } from './errors.js';
import type { Tensor } from './tensor.js';

/**
 * Checks for factories of strategies and backends, and for the primitives of backends: what is wrong is refused before
 * anything is made, in the same words everywhere. `where` is the name of the factory or the primitive.
 */

/** @throws {InputError} `INVALID_OPTION` for what is no object, and for an option that is not in `names` */
export function assertKnown(where: string, options: unknown, names: readonly string[]): void {
  const list = names.length > 0 ? `only the options ${names.join(', ')}` : 'no options';
  if (typeof options !== 'object' || options === null) throw inputError(where, list, options);
  const unknown = Object.keys(options).find((name) => !names.includes(name));
  if (unknown !== undefined) throw inputError(where, list, `an unknown one, ${unknown}`);
}

/** @throws {InputError} `INVALID_OPTION` unless `value` is a whole number from `min` (to `max`) */
export function assertWhole(
  where: string,
  name: string,
  value: unknown,
  { min, max = Infinity }: { min: number; max?: number },
): void {
  if (Number.isInteger(value) && (value as number) >= min && (value as number) <= max) return;
  const upTo = max === Infinity ? '' : ` to ${max}`;
  throw inputError(where, `${name} to be a whole number from ${min}${upTo}`, value);
}

/** @throws {InputError} `INVALID_OPTION` unless `value` is one of `allowed` */
export function assertOneOf(
  where: string,
  name: string,
  value: unknown,
  allowed: readonly string[],
): void {
  if (allowed.includes(value as string)) return;
  const choices = allowed.map((one) => `'${one}'`).join(' or ');
  throw inputError(where, `${name} to be ${choices}`, value);
}

/** @throws {InputError} `INVALID_SHAPE` unless the tensor has exactly this shape */
export function assertShape(where: string, tensor: Tensor, shape: readonly number[]): void {
  const { length } = shape;
  if (tensor.shape.length === length && shape.every((size, axis) => size === tensor.shape[axis]))
    return;
  throw inputError(where, `shape [${shape.join(', ')}]`, [...tensor.shape], {
    code: 'INVALID_SHAPE',
  });
}

/** @throws {InputError} `INVALID_OPTION` unless `axis` is one of the tensor's */
export function assertAxis(where: string, tensor: Tensor, axis: number): void {
  if (Number.isInteger(axis) && axis >= 0 && axis < tensor.shape.length) return;
  throw inputError(where, `an axis of [${tensor.shape.join(', ')}]`, axis);
}

/** @throws {InputError} `INVALID_OPTION` unless `[start, end)` lies inside `[0, length)` */
export function assertRange(
  where: string,
  [start, end]: readonly [number, number],
  length: number,
): void {
  const whole = Number.isInteger(start) && Number.isInteger(end);
  if (whole && 0 <= start && start <= end && end <= length) return;
  throw inputError(where, `a range inside [0, ${length})`, `[${start}, ${end})`);
}

/** @throws {InputError} `INVALID_SHAPE` unless the tensor has `rank` axes */
export function assertRank(where: string, tensor: Tensor, rank: number): void {
  if (tensor.shape.length === rank) return;
  throw inputError(where, `${rank} axes`, [...tensor.shape], { code: 'INVALID_SHAPE' });
}
