import { type AuxSpec, auxSizes, type CallInputs } from '@jit-attention/core';

import { type HostArray, sizeOf, take } from './array.js';
import { headsOf, type Problem, tokensOf } from './problem.js';
import { normals, uniform, wholes } from './random.js';

/**
 * The inputs of a problem, `[batch, heads, tokens, width]` each. What lies behind the end of a short batch row is
 * NaN, which nobody may read.
 */
export interface Inputs {
  readonly query: HostArray;
  readonly key: HostArray;
  /** Absent where the values are the keys. */
  readonly value: HostArray | undefined;
  readonly aux: Readonly<Record<string, HostArray>>;
  /** Valid tokens of each batch row. */
  readonly lengths: readonly number[];
}

type Requires = Readonly<Record<string, AuxSpec>>;

/** Random inputs, with the auxiliary tensors that a strategy requires. The same seed gives the same numbers. */
export function inputsOf(problem: Problem, requires: Requires = {}): Inputs {
  const { kvHeads, headDim, valueDim, values, lengths } = problem;
  const make = (name: string, heads: number, width: number): HostArray => {
    const shape = [lengths.length, heads, tokensOf(problem), width];
    return cutRows(numbersFor(problem, name, shape), starts(lengths), lengths);
  };
  return {
    query: make('query', headsOf(problem), headDim),
    key: make('key', kvHeads, headDim),
    value: values === 'own' ? make('value', kvHeads, valueDim) : undefined,
    aux: mapValues(requires, (spec, name) => make(name, ...sizesOf(problem, spec))),
    lengths,
  };
}

/** Random numbers of a problem's kind. */
export function numbersFor(problem: Problem, name: string, shape: readonly number[]): HostArray {
  const next = uniform(problem.seed, name);
  const count = sizeOf(shape);
  return { shape, data: problem.numbers === 'normal' ? normals(count, next) : wholes(count, next) };
}

function sizesOf(problem: Problem, spec: AuxSpec): [heads: number, width: number] {
  const { heads, width } = auxSizes(spec, { ...problem, heads: headsOf(problem) });
  return [heads, width];
}

/** Applies `change` to every tensor. */
export function mapInputs(
  inputs: Inputs,
  change: (array: HostArray, name: string) => HostArray,
  lengths: readonly number[] = inputs.lengths,
): Inputs {
  return {
    query: change(inputs.query, 'query'),
    key: change(inputs.key, 'key'),
    value: inputs.value && change(inputs.value, 'value'),
    aux: mapValues(inputs.aux, change),
    lengths,
  };
}

/** Tokens `[start[row], end[row])` of each batch row; ends beyond a row's length are its length. */
export function cutInputs(
  inputs: Inputs,
  start: readonly number[],
  end: readonly number[],
): Inputs {
  const from = inputs.lengths.map((length, row) => Math.min(length, start[row]));
  const counts = inputs.lengths.map((length, row) => Math.min(length, end[row]) - from[row]);
  return mapInputs(inputs, (array) => cutRows(array, from, counts), counts);
}

/** `counts[row]` tokens of each batch row from `start[row]` on, padded with NaN to `longest`. */
export function cutRows(
  { shape, data }: HostArray,
  start: readonly number[],
  counts: readonly number[],
  longest: number = Math.max(...counts),
): HostArray {
  const [, heads, tokens, width] = shape;
  const rows = new Float32Array(counts.length * heads * longest * width).fill(NaN);
  counts.forEach((count, row) => {
    for (let head = 0; head < heads; head++) {
      const from = ((row * heads + head) * tokens + start[row]) * width;
      const to = (row * heads + head) * longest * width;
      rows.set(data.subarray(from, from + count * width), to);
    }
  });
  return { shape: [counts.length, heads, longest, width], data: rows };
}

/** The inputs of one batch row alone. */
export function pickRow(inputs: Inputs, row: number): Inputs {
  const lengths = [inputs.lengths[row]];
  return mapInputs(inputs, (array) => cutRows(take(array, 0, [row]), [0], lengths), lengths);
}

/** As a call takes them. */
export function callOf({ query, key, value, aux, lengths }: Inputs): CallInputs {
  return {
    query: query.data,
    key: key.data,
    value: value?.data,
    aux: mapValues(aux, ({ data }) => data),
    lengths,
  };
}

export const starts = (lengths: readonly number[]): number[] => lengths.map(() => 0);

/** A record with the same names and other values. */
export function mapValues<T, U>(
  record: Readonly<Record<string, T>>,
  map: (value: T, name: string) => U,
): Record<string, U> {
  return Object.fromEntries(
    Object.entries(record).map(([name, value]) => [name, map(value, name)]),
  );
}
