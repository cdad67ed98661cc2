import { Float16Array } from '@petamoriken/float16';
import type { GraphBuilder } from '@jit-attention/onnx-writer';

import { Random, seedOf } from './random.js';

/**
 * Where weights lie, and in what: f32 or f16 in the graph, f32 in a file beside it, 4 bits in blocks of 32, 8 bits
 * that meet activations of 8 bits.
 */
export type Storage = 'f32' | 'f16' | 'external' | 'int4' | 'int8';

/** Numbers of a block of `MatMulNBits` that share a scale. */
const BLOCK = 32;
const EXTERNAL = 'weights.bin';
/** Not a multiple of anything: pieces refer to weights at any offset. */
const FIRST_OFFSET = 7;

/** Adds random weights to a graph, the way that a model of this storage has them. */
export class Weights {
  readonly storage: Storage;
  readonly #graph: GraphBuilder;
  readonly #seed: number;
  readonly #external: number[] = new Array<number>(FIRST_OFFSET).fill(0);

  constructor(graph: GraphBuilder, seed: number, storage: Storage) {
    this.#graph = graph;
    this.#seed = seed;
    this.storage = storage;
  }

  /** Element type of activations. */
  get type(): 'f32' | 'f16' {
    return this.storage === 'f16' ? 'f16' : 'f32';
  }

  /** The files of the external weights. */
  get files(): Record<string, Uint8Array> {
    return this.storage === 'external' ? { [EXTERNAL]: Uint8Array.from(this.#external) } : {};
  }

  /** A tensor of random numbers: the same for the same name and seed, whatever else is in the graph. */
  tensor(name: string, shape: number[], amplitude?: number): string {
    const count = shape.reduce((product, size) => product * size, 1);
    return this.floats(name, shape, this.#random(name).floats(count, amplitude));
  }

  /** A tensor of these numbers. */
  floats(name: string, shape: number[], values: Float32Array): string {
    if (this.storage === 'external') return this.#outside(name, shape, values);
    return this.#graph.constant(name, shape, this.type === 'f16' ? halves(values) : values);
  }

  /** `x [..., inputs]` times a matrix, `[..., outputs]`. */
  linear(path: string, x: string, inputs: number, outputs: number): string {
    if (this.storage === 'int4') return this.#inBlocks(path, x, inputs, outputs);
    if (this.storage === 'int8') return this.#dynamic(path, x, inputs, outputs);
    const matrix = this.tensor(`${path}.weight`, [inputs, outputs], 1.5 / Math.sqrt(inputs));
    return this.#graph.node('MatMul', path, [x, matrix]);
  }

  #random(name: string): Random {
    return new Random(seedOf(name, this.#seed));
  }

  #inBlocks(path: string, x: string, inputs: number, outputs: number): string {
    const blocks = Math.ceil(inputs / BLOCK);
    const random = this.#random(path);
    const codes = Uint8Array.from({ length: (outputs * blocks * BLOCK) / 2 }, () =>
      random.whole(256),
    );
    const scales = random.floats(outputs * blocks, 0.1);
    return this.#graph.node(
      'MatMulNBits',
      path,
      [
        x,
        this.#graph.constant(`${path}.codes`, [outputs, blocks, BLOCK / 2], codes),
        this.#graph.constant(`${path}.scales`, [outputs * blocks], scales),
      ],
      {
        domain: 'com.microsoft',
        attributes: { K: inputs, N: outputs, bits: 4, block_size: BLOCK },
      },
    );
  }

  /** onnxruntime's dynamic quantisation: activations are rounded as they come. */
  #dynamic(path: string, x: string, inputs: number, outputs: number): string {
    const graph = this.#graph;
    const codes = Uint8Array.from(
      { length: inputs * outputs },
      (
        (random) => () =>
          random.whole(256)
      )(this.#random(path)),
    );
    const rounded = [`${path}.x`, `${path}.x_scale`, `${path}.x_zero`];
    graph.node('DynamicQuantizeLinear', path, [x], { outputs: rounded });
    const product = graph.node('MatMulInteger', path, [
      rounded[0],
      graph.constant(`${path}.codes`, [inputs, outputs], codes),
      rounded[2],
      graph.constant(`${path}.zero`, [], Uint8Array.of(128)),
    ]);
    const scale = graph.constant(`${path}.scale`, [], Float32Array.of(0.01 / Math.sqrt(inputs)));
    return graph.node('Mul', path, [
      graph.node('Cast', path, [product], { attributes: { to: 1 } }),
      graph.node('Mul', `${path}/scale`, [rounded[1], scale]),
    ]);
  }

  #outside(name: string, shape: number[], values: Float32Array): string {
    const offset = this.#external.length;
    const bytes = new Uint8Array(values.buffer);
    this.#external.push(...bytes);
    return this.#graph.external(name, 'f32', shape, {
      location: EXTERNAL,
      offset,
      length: bytes.length,
    });
  }
}

/** Halves by their bits. */
export const halves = (values: Float32Array): Uint16Array =>
  new Uint16Array(new Float16Array(values).buffer);
