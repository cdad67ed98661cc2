import { inputError } from '@jit-attention/core';

import type { Layers } from './model.js';

/**
 * The numbers of the layers that are meant.
 *
 * @throws {InputError} `INVALID_OPTION`
 */
export function parseLayers(name: string, layers: Layers, count: number): ReadonlySet<number> {
  const fail = (actual: unknown): never => {
    throw inputError(
      'adopt',
      `${name} to be 'all', '2-', '0,3-5' or numbers below ${count}`,
      actual,
    );
  };
  if (layers === 'all') return new Set(Array.from({ length: count }, (_, i) => i));
  if (typeof layers !== 'string' && !Array.isArray(layers)) return fail(layers);
  const chosen =
    typeof layers === 'string'
      ? layers.split(',').flatMap((part) => parseRange(part, count) ?? fail(layers))
      : layers;
  for (const layer of chosen as readonly number[])
    if (!(Number.isInteger(layer) && layer >= 0 && layer < count)) fail(layer);
  return new Set(chosen as readonly number[]);
}

/** `3`, `3-5`, `3-`, `-5` */
function parseRange(text: string, count: number): number[] | undefined {
  const match = /^\s*(\d*)\s*(-?)\s*(\d*)\s*$/.exec(text);
  if (!match || match[0].trim() === '' || match[0].trim() === '-') return undefined;
  const [, from, dash, to] = match;
  const start = from === '' ? 0 : Number(from);
  const end = dash === '' ? start : to === '' ? count - 1 : Number(to);
  return start <= end ? Array.from({ length: end - start + 1 }, (_, i) => start + i) : undefined;
}
