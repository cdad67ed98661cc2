import { type Backend, reference, type Tensor } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, it } from 'vitest';

import { nsa, type Phi } from '../../judges/nsa.js';
import {
  dot,
  everyQuery,
  examine,
  holds,
  type Matrix,
  normals,
  type Problem,
  problems,
  randomInputs,
  span,
  uniformFor,
} from './support/index.js';
import { StraightNsa, type StraightPhi } from './support/straight-nsa.js';

/** Eighths, so that folding the embedding into the bias is exact in f32. */
function eighths(problem: Problem, purpose: string, rows: number, width: number): Matrix {
  const numbers = normals(rows * width, uniformFor(problem.seed, purpose));
  const data = Array.from(numbers, (value) => Math.round(8 * value) / 8);
  return span(0, rows).map((row) => data.slice(row * width, (row + 1) * width));
}

function randomPhi(
  problem: Problem,
  name: string,
  sizes: Record<'length' | 'hidden' | 'width', number>,
): StraightPhi {
  const { length, hidden, width } = sizes;
  const make = (part: string, rows: number, columns: number): Matrix =>
    eighths(problem, `${name}.${part}`, rows, columns);
  return {
    embedding: make('embedding', length, width),
    hidden: { weight: make('weight1', hidden, length * width), bias: make('bias1', 1, hidden)[0] },
    out: { weight: make('weight2', width, hidden), bias: make('bias2', 1, width)[0] },
  };
}

/** φ as tensors, `W(x + e) + b = Wx + (b + We)`. */
function fold(backend: Backend, { embedding, hidden, out }: StraightPhi): Phi {
  const vector = (values: readonly number[]): Tensor =>
    backend.tensor(Float32Array.from(values), { shape: [values.length] });
  const weight = (rows: Matrix): Tensor =>
    backend.tensor(Float32Array.from(rows.flat()), { shape: [rows.length, rows[0].length] });
  const bias = hidden.bias.map((value, i) => value + dot(hidden.weight[i], embedding.flat()));
  return [
    { weight: weight(hidden.weight), bias: vector(bias) },
    { weight: weight(out.weight), bias: vector(out.bias) },
  ];
}

describe('nsa', () => {
  const from1 = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
  /** Lengths and blocks in strides. */
  const options = fc.record({
    stride: from1(4),
    spans: from1(3),
    reach: from1(4),
    blocks: fc.oneof(fc.integer({ min: 3, max: 6 }), fc.constant(50)),
    window: from1(12),
    hidden: from1(3),
  });

  it('weights three branches over three sets of keys, and reads the blocks its spans point to', () =>
    holds(
      [problems(), options],
      async (problem, { stride, spans, reach, blocks, window, hidden }) => {
        const sizes = { stride, length: spans * stride, block: reach * stride, blocks, window };
        const phiOf = (name: string, width: number): StraightPhi =>
          randomPhi(problem, name, { length: sizes.length, hidden, width });
        const phi = {
          keys: phiOf('keys', problem.headDim),
          values: phiOf('values', problem.valueDim),
        };
        const strategy = (backend: Backend) =>
          nsa({
            ...sizes,
            phi: { keys: fold(backend, phi.keys), values: fold(backend, phi.values) },
          });
        const inputs = randomInputs(problem, strategy(reference()).requires);
        const straight = new StraightNsa(problem, inputs, { ...sizes, phi });
        await examine(problem, {
          strategy,
          inputs,
          output: everyQuery(problem, (place) => straight.output(place)),
          reads: [
            ({ position }) => straight.visibleSpans(position),
            (place) => straight.selected(place),
            ({ position }) => straight.window(position),
          ],
        });
      },
    ));
});
