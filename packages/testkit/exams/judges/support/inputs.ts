import { type AttentionStrategy, type AuxSpec, auxSizes } from '@jit-attention/core';

import { headsOf, type Problem, tokensOf } from './problem.js';
import { normals, uniformFor } from './random.js';

/** Rows of numbers, `[batch, heads, tokens, width]`, one a token. */
export interface Rows {
  readonly per: 'query' | 'key';
  readonly heads: number;
  readonly width: number;
  readonly tokens: number;
  readonly data: Float32Array;
}

export interface Inputs {
  readonly query: Rows;
  readonly key: Rows;
  /** Absent where the values are the keys. */
  readonly value: Rows | undefined;
  readonly aux: Readonly<Record<string, Rows>>;
}

/** `rows[token][channel]`. */
export type Matrix = readonly (readonly number[])[];

/** Random inputs, with the auxiliary ones that a strategy requires. The same seed and name give the same rows. */
export function randomInputs(
  problem: Problem,
  requires: AttentionStrategy['requires'] = {},
  values: 'own' | 'key' = 'own',
): Inputs {
  const make = (name: string, spec: AuxSpec): Rows => normalRows(problem, name, spec);
  return {
    query: make('query', { per: 'query', heads: 'heads', width: 'headDim' }),
    key: make('key', { per: 'key', heads: 'kvHeads', width: 'headDim' }),
    value:
      values === 'own'
        ? make('value', { per: 'key', heads: 'kvHeads', width: 'valueDim' })
        : undefined,
    aux: Object.fromEntries(
      Object.entries(requires).map(([name, spec]) => [name, make(`aux.${name}`, spec)]),
    ),
  };
}

/** Standard normal rows; the padding behind short batch rows is NaN, which nobody may read. */
export function normalRows(problem: Problem, name: string, spec: AuxSpec): Rows {
  const sizes = {
    per: spec.per,
    ...auxSizes(spec, { ...problem, heads: headsOf(problem) }),
    tokens: tokensOf(problem),
  };
  const count = problem.lengths.length * sizes.heads * sizes.tokens * sizes.width;
  const data = normals(count, uniformFor(problem.seed, name));
  return { ...sizes, data: padded({ ...sizes, data }, problem.lengths) };
}

/** Other numbers for `tokens` tokens a batch row: what a sequence reads when it goes wrong. */
export function noise(rows: Rows, batch: number, tokens: number, next: () => number): Rows {
  return { ...rows, tokens, data: normals(batch * rows.heads * tokens * rows.width, next) };
}

/** Applies `change` to every tensor of the inputs. */
export function mapInputs(inputs: Inputs, change: (rows: Rows) => Rows): Inputs {
  return {
    query: change(inputs.query),
    key: change(inputs.key),
    value: inputs.value && change(inputs.value),
    aux: Object.fromEntries(Object.entries(inputs.aux).map(([name, rows]) => [name, change(rows)])),
  };
}

const written = new WeakMap<Rows, Map<number, Matrix>>();

/** The tokens of one batch row and head, as plain arrays; padding left out. Written out once. */
export function matrix(rows: Rows, problem: Problem, row: number, head: number): Matrix {
  const own = written.get(rows) ?? new Map<number, Matrix>();
  written.set(rows, own);
  const number = row * rows.heads + head;
  const known = own.get(number) ?? writeOut(rows, number, problem.lengths[row]);
  own.set(number, known);
  return known;
}

function writeOut({ tokens, width, data }: Rows, number: number, length: number): Matrix {
  const start = number * tokens * width;
  return Array.from({ length }, (_, token) =>
    Array.from(data.subarray(start + token * width, start + (token + 1) * width)),
  );
}

/** Tokens `start[row] … start[row] + counts[row] - 1` of each batch row, padded with NaN to the longest. */
export function cutRows(rows: Rows, start: readonly number[], counts: readonly number[]): Rows {
  const { heads, tokens, width } = rows;
  const cut = Math.max(...counts);
  const data = new Float32Array(counts.length * heads * cut * width).fill(NaN);
  counts.forEach((count, row) => {
    for (let head = 0; head < heads; head++) {
      const from = ((row * heads + head) * tokens + start[row]) * width;
      const to = (row * heads + head) * cut * width;
      data.set(rows.data.subarray(from, from + count * width), to);
    }
  });
  return { ...rows, tokens: cut, data };
}

function padded(rows: Rows, lengths: readonly number[]): Float32Array {
  return cutRows(
    rows,
    lengths.map(() => 0),
    lengths,
  ).data;
}
