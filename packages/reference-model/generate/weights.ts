import { getFloat16 } from '@petamoriken/float16';

import { readSafetensors, type StoredTensor } from './safetensors.js';

/** A weight in f32, row-major. */
export interface Weight {
  shape: number[];
  values: Float32Array;
}

/** The weights of a checkpoint by their Hugging Face names, widened from f16 to f32. */
export class Weights {
  readonly #tensors: Map<string, StoredTensor>;

  constructor(path: string) {
    this.#tensors = readSafetensors(path);
  }

  get(name: string): Weight {
    const tensor = this.#tensors.get(name);
    if (!tensor) throw new Error(`the checkpoint has no tensor ${name}`);
    if (tensor.dtype !== 'F16') throw new Error(`${name}: expected dtype F16, got ${tensor.dtype}`);
    return { shape: tensor.shape, values: widen(tensor.bytes) };
  }
}

function widen(bytes: Uint8Array): Float32Array {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const out = new Float32Array(bytes.byteLength / 2);
  for (let i = 0; i < out.length; i++) out[i] = getFloat16(view, 2 * i, true);
  return out;
}

/** A projection as MatMul takes it: `[in, out]`, where a checkpoint has `[out, in]`. */
export function transpose({ shape, values }: Weight): Weight {
  const [rows, columns] = shape as [number, number];
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[row * columns + column]!;
    }
  }
  return { shape: [columns, rows], values: out };
}
