import { GGMLQuantizationType } from '@huggingface/gguf';
import { Float16Array } from '@petamoriken/float16';
import fc from 'fast-check';

import type { StoredTensor } from './write-gguf.js';

/** A tensor whose values are known without decoding it. */
export interface KnownTensor extends StoredTensor {
  readonly values: Float64Array;
}

type Make = (name: string, shape: readonly number[]) => KnownTensor;

/** Around 1, as the weights of norms are. */
export const f32: Make = (name, shape) => {
  const values = Float32Array.from(wholes(name, shape, 32, 96), (whole) => whole / 64);
  const bytes = new Uint8Array(values.buffer);
  return { name, shape, type: GGMLQuantizationType.F32, bytes, values: Float64Array.from(values) };
};

export const f16: Make = (name, shape) => {
  const values = Float64Array.from(wholes(name, shape, -64, 64), (whole) => whole / 64);
  const bytes = new Uint8Array(new Float16Array(values).buffer);
  return { name, shape, type: GGMLQuantizationType.F16, bytes, values };
};

/** Blocks of 32: a scale of 2 ** -9, then signed bytes. */
export const q8_0: Make = (name, shape) => {
  const codes = wholes(name, shape, -127, 127);
  const bytes = blocks(codes, [2 ** -9], (block) => block.map((code) => code & 255));
  const values = Float64Array.from(codes, (code) => code * 2 ** -9);
  return { name, shape, type: GGMLQuantizationType.Q8_0, bytes, values };
};

/** Blocks of 32: a scale of 2 ** -6, a least value of -2 ** -3, then pairs of codes 16 apart. */
export const q4_1: Make = (name, shape) => {
  const codes = wholes(name, shape, 0, 15);
  const bytes = blocks(codes, [2 ** -6, -(2 ** -3)], (block) =>
    block.slice(0, 16).map((low, i) => low | (block[i + 16] << 4)),
  );
  const values = Float64Array.from(codes, (code) => code * 2 ** -6 - 2 ** -3);
  return { name, shape, type: GGMLQuantizationType.Q4_1, bytes, values };
};

/** Whole numbers from `min` to `max`, the same for the same name. */
function wholes(name: string, shape: readonly number[], min: number, max: number): number[] {
  const numRuns = shape.reduce((a, b) => a * b, 1);
  const seed = [...name].reduce((hash, letter) => (31 * hash + letter.charCodeAt(0)) | 0, 7);
  return fc.sample(fc.noBias(fc.integer({ min, max })), { numRuns, seed });
}

function blocks(
  codes: readonly number[],
  scales: readonly number[],
  pack: (block: number[]) => number[],
): Uint8Array {
  const head = [...new Uint8Array(new Float16Array(scales).buffer)];
  const out: number[] = [];
  for (let from = 0; from < codes.length; from += 32) {
    out.push(...head, ...pack(codes.slice(from, from + 32)));
  }
  return Uint8Array.from(out);
}
