import type { AttentionStrategy, LinearOptions, Tensor } from '@jit-attention/core';
import fc from 'fast-check';

import type { Bench } from '../../../src/backend/bench.js';
import { nsa } from '../../../judges/nsa.js';
import type { Matrix } from './inputs.js';
import type { Problem } from './problem.js';
import { normals, uniformFor } from './random.js';
import { dot, span } from './straight.js';
import type { StraightNsaOptions, StraightPhi } from './straight-nsa.js';

/** Sizes of a random NSA; spans and blocks in strides. */
export interface NsaSizes {
  readonly stride: number;
  readonly span: number;
  readonly block: number;
  readonly blocks: number;
  readonly window: number;
  /** Width of φ's hidden layer. */
  readonly hidden: number;
}

const from1 = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

export const nsaSizes: fc.Arbitrary<NsaSizes> = fc.record({
  stride: from1(3),
  span: from1(3),
  block: from1(4),
  blocks: fc.oneof(
    { weight: 4, arbitrary: fc.integer({ min: 4, max: 6 }) },
    fc.constantFrom(3, 50),
  ),
  window: from1(12),
  hidden: fc.integer({ min: 2, max: 5 }),
});

export interface NsaCase {
  readonly options: StraightNsaOptions;
  readonly strategy: (bench: Bench) => AttentionStrategy;
}

/** A random NSA with learned weights; `name` tells the layers of one case apart. */
export function nsaCase(problem: Problem, sizes: NsaSizes, name = 'nsa'): NsaCase {
  const { stride, blocks, window, hidden } = sizes;
  const shape = {
    stride,
    length: sizes.span * stride,
    block: sizes.block * stride,
    blocks,
    window,
  };
  const phiOf = (which: string, width: number): StraightPhi =>
    randomPhi(problem, `${name}.${which}`, { length: shape.length, hidden, width });
  const phi = { keys: phiOf('keys', problem.headDim), values: phiOf('values', problem.valueDim) };
  return {
    options: { ...shape, phi },
    strategy: (bench) =>
      nsa({ ...shape, phi: { keys: fold(bench, phi.keys), values: fold(bench, phi.values) } }),
  };
}

function randomPhi(
  problem: Problem,
  name: string,
  { length, hidden, width }: { length: number; hidden: number; width: number },
): StraightPhi {
  const make = (part: string, rows: number, columns: number): Matrix =>
    eighths(problem, `${name}.${part}`, rows, columns);
  return {
    embeddings: span(0, problem.kvHeads).map((head) => make(`embedding${head}`, length, width)),
    hidden: { weight: make('weight1', hidden, length * width), bias: make('bias1', 1, hidden)[0] },
    out: { weight: make('weight2', width, hidden), bias: make('bias2', 1, width)[0] },
  };
}

/** Eighths, so that folding an embedding into a bias is exact in f32. */
function eighths(problem: Problem, purpose: string, rows: number, width: number): Matrix {
  const numbers = normals(rows * width, uniformFor(problem.seed, purpose));
  const data = Array.from(numbers, (value) => Math.round(8 * value) / 8);
  return span(0, rows).map((row) => data.slice(row * width, (row + 1) * width));
}

/** φ as layers: `W(x + e) + b = Wx + (b + We)`. */
function fold(bench: Bench, { embeddings, hidden, out }: StraightPhi): LinearOptions[] {
  const tensor = (rows: Matrix): Tensor =>
    bench.tensor({ data: Float32Array.from(rows.flat()), shape: [rows.length, rows[0].length] });
  const folded = embeddings.map((embedding) =>
    hidden.bias.map((value, i) => value + dot(hidden.weight[i], embedding.flat())),
  );
  const bias = bench.tensor({ data: Float32Array.from(out.bias), shape: [out.bias.length] });
  return [
    { weight: tensor(hidden.weight), bias: tensor(folded), activation: 'relu' },
    { weight: tensor(out.weight), bias },
  ];
}
