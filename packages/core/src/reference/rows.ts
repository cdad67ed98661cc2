import type { LinearOptions, NormOptions, Ops, RotaryOptions } from '../backend.js';
import type { Tensor } from '../tensor.js';
import { dot } from './attend.js';
import { floatsOf, roundRow } from './storage.js';

/** Transforms of the last axis, a row at a time. */

/** Maps each row of `width` to a row of `outWidth`. */
function mapRows(
  x: Tensor,
  outWidth: number,
  map: (row: Float64Array, out: Float64Array, number: number) => void,
): Float64Array {
  const width = x.shape.at(-1)!;
  const from = floatsOf(x);
  const out = new Float64Array((from.length / width) * outWidth);
  for (let row = 0; row * width < from.length; row++) {
    const view = out.subarray(row * outWidth, (row + 1) * outWidth);
    map(from.subarray(row * width, (row + 1) * width), view, row);
  }
  return out;
}

const ACTIVATIONS = {
  relu: (x: number) => Math.max(0, x),
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
  silu: (x: number) => x / (1 + Math.exp(-x)),
};

export function linear(x: Tensor, { weight, bias, activation }: LinearOptions): Float64Array {
  const [outWidth, width] = weight.shape;
  const matrix = floatsOf(weight);
  const activate = activation ? ACTIVATIONS[activation] : (value: number) => value;
  const biasAt = biasRow(x, bias, outWidth);
  return mapRows(x, outWidth, (row, out, number) => {
    const added = biasAt(number);
    for (let i = 0; i < outWidth; i++)
      out[i] = activate(dot(row, 0, matrix, i * width, width) + added[i]);
  });
}

/** The bias of a row of `x`: one for all, or one a head. */
function biasRow(
  x: Tensor,
  bias: Tensor | undefined,
  width: number,
): (number: number) => Float64Array {
  const values = bias ? floatsOf(bias) : new Float64Array(width);
  if (bias?.shape.length !== 2) return () => values;
  const [, heads, tokens] = x.shape;
  return (number) => {
    const head = Math.floor(number / tokens) % heads;
    return values.subarray(head * width, (head + 1) * width);
  };
}

export function norm(x: Tensor, { kind, eps, weight, bias }: NormOptions): Float64Array {
  const width = x.shape.at(-1)!;
  return mapRows(x, width, (row, out) => {
    const mean = kind === 'layer' ? row.reduce((sum, value) => sum + value, 0) / width : 0;
    const variance = row.reduce((sum, value) => sum + (value - mean) ** 2, 0) / width;
    const factor = 1 / Math.sqrt(variance + eps);
    row.forEach((value, d) => {
      out[d] =
        (value - mean) * factor * (weight ? floatsOf(weight)[d] : 1) +
        (bias ? floatsOf(bias)[d] : 0);
    });
  });
}

export function rotary(x: Tensor, options: RotaryOptions): Float64Array {
  const [, heads, tokens, width] = x.shape;
  const { frequencies, first, step = 1, channels = [0, width], interleaved = false } = options;
  const half = frequencies.length;
  return mapRows(x, width, (row, out, number) => {
    const position = first[Math.floor(number / (heads * tokens))] + step * (number % tokens);
    out.set(row);
    frequencies.forEach((frequency, i) => {
      const a = channels[0] + (interleaved ? 2 * i : i);
      const b = interleaved ? a + 1 : a + half;
      const [cos, sin] = [Math.cos(position * frequency), Math.sin(position * frequency)];
      out[a] = row[a] * cos - row[b] * sin;
      out[b] = row[a] * sin + row[b] * cos;
    });
  });
}

export function hadamard(x: Tensor): Float64Array {
  const width = x.shape.at(-1)!;
  return mapRows(x, width, (row, out) => {
    out.set(row);
    for (let half = 1; half < width; half *= 2) {
      for (let i = 0; i < width; i++) {
        if (i & half) continue;
        [out[i], out[i + half]] = [out[i] + out[i + half], out[i] - out[i + half]];
      }
    }
    for (let i = 0; i < width; i++) out[i] *= width ** -0.5;
  });
}

export function quantise(x: Tensor, { bits, range }: Parameters<Ops['quantise']>[1]): Float64Array {
  return mapRows(x, x.shape.at(-1)!, (row, out) => {
    out.set(row);
    if (range === 'absmax') return roundRow(out, bits);
    const min = Math.min(...row);
    const scale = (Math.max(...row) - min) / (2 ** bits - 1);
    if (scale === 0) return;
    row.forEach((value, d) => (out[d] = min + scale * Math.round((value - min) / scale)));
  });
}
