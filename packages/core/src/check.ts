import { inputError } from './errors.js';

/**
 * Checks of options, for factories of strategies and backends: wrong options are refused when the factory is
 * called, in the same words everywhere. `where` is the name of the factory.
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
