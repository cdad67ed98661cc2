import {
  assertRange,
  assertRank,
  assertShape,
  inputError,
  type Ops,
  type RotaryOptions,
  type Tensor,
} from '@jit-attention/core';

import type { Host } from '../host.js';
import { floatWords } from '../words.js';
import { asFloats, place, rowsOf } from './convert.js';
import { shares } from './shares.js';

/** Transforms of the last axis, a row at a time. */

const ACTIVATIONS = [undefined, 'relu', 'sigmoid', 'silu'] as const;

/** Columns of a task, at most. */
const COLUMNS = 64;
/**
 * Numbers of the weight that a task reads over and over: 64 KiB. Measured for widths from 512 to 7,168: 53 to 55 GFLOP/s
 * of a peak of 65; with 256 KiB wide rows drop to 36.
 */
const CACHED = 1 << 14;
/** Rows of x of a task. */
const ROWS = 64;

export function linear(
  host: Host,
  x: Tensor,
  { weight, bias, activation }: Parameters<Ops['linear']>[1],
): Tensor<'f32'> {
  const { rows, width } = rowsOf(host, x);
  const [outWidth] = weight.shape as [number];
  assertShape('linear: weight', weight, [outWidth, width]);
  const heads = biasHeads(x, bias);
  if (bias) assertShape('linear: bias', bias, [...heads, outWidth]);
  if (!ACTIVATIONS.includes(activation))
    throw inputError('linear', "activation 'relu', 'sigmoid' or 'silu'", activation);

  const columns = Math.min(COLUMNS, Math.max(4, 4 * Math.floor(CACHED / width / 4)));
  const output = host.make([...x.shape.slice(0, -1), outWidth], 'f32');
  const tasks = Math.ceil(rows / ROWS) * Math.ceil(outWidth / columns);
  const desc = host.arena.i32([
    ...[0, tasks, ROWS, rows, width, asFloats(host, x), outWidth],
    ...place(rowsOf(host, weight)),
    ...[bias ? asFloats(host, bias) : 0, ACTIVATIONS.indexOf(activation)],
    ...[columns, host.pointerOf(output), heads[0] ?? 1, x.shape.at(-2) ?? 1],
  ]);
  host.run('linear', desc, host.call('linearScratch', width, columns));
  return output;
}

/** `[heads]` where each head of x `[batch, heads, tokens, in]` has a bias of its own. */
const biasHeads = (x: Tensor, bias: Tensor | undefined): readonly number[] =>
  bias?.shape.length === 2 && x.shape.length === 4 ? [x.shape[1]] : [];

/**
 * Runs a kernel that makes a row of each row: `[next, total, rows of a task, rows, width, x, target, ...more]`.
 */
function mapRows(host: Host, kernel: string, x: Tensor, more: Iterable<number>): Tensor<'f32'> {
  const { rows, width } = rowsOf(host, x);
  const source = asFloats(host, x);
  const output = host.make(x.shape, 'f32');
  const [share, tasks] = shares(host, rows, 16 * width);
  const head = [0, tasks, share, rows, width, source, host.pointerOf(output)];
  host.run(kernel, host.arena.i32([...head, ...more]));
  return output;
}

export function norm(
  host: Host,
  x: Tensor,
  { kind, eps, weight, bias }: Parameters<Ops['norm']>[1],
): Tensor<'f32'> {
  const { width } = rowsOf(host, x);
  const vectors = [weight, bias].map((tensor, i) => {
    if (!tensor) return 0;
    assertShape(i === 0 ? 'norm: weight' : 'norm: bias', tensor, [width]);
    return asFloats(host, tensor);
  });
  return mapRows(host, 'normRows', x, [...vectors, kind === 'layer' ? 1 : 0, ...floatWords(eps)]);
}

/** Positions whose angles are made from one coarse step. */
const STRIDE = 64;

export function rotary(host: Host, x: Tensor, options: RotaryOptions): Tensor<'f32'> {
  assertRank('rotary', x, 4);
  const [batch, heads, tokens, width] = x.shape as [number, number, number, number];
  const { frequencies, first, step = 1, channels = [0, width], interleaved = false } = options;
  const pairs = frequencies.length;
  assertRange('rotary: channels', channels, width);
  if (2 * pairs !== channels[1] - channels[0])
    throw inputError('rotary', `${channels[1] - channels[0]} / 2 frequencies`, pairs);
  if (first.length !== batch) throw inputError('rotary', `${batch} first positions`, first.length);

  const stride = Math.min(STRIDE, tokens);
  const multiples = (start: number, by: number, count: number): number[] =>
    Array.from({ length: count }, (_, i) => start + by * i);
  const coarse = first.flatMap((start) =>
    multiples(start, step * stride, Math.ceil(tokens / stride)),
  );
  const angles = [coarse, multiples(0, step, stride)].map((positions) =>
    host.arena.f64(turns(positions, frequencies)),
  );
  const [across, along] = interleaved ? [1, 2] : [pairs, 1];
  return mapRows(host, 'rotateRows', x, [
    ...[tokens, heads * tokens, stride, pairs, channels[0], across, along, ...angles],
  ]);
}

/** `[positions][frequencies][cos, sin]` */
function turns(positions: readonly number[], frequencies: readonly number[]): Float64Array {
  const out = new Float64Array(2 * positions.length * frequencies.length);
  let at = 0;
  for (const position of positions) {
    for (const frequency of frequencies) {
      out[at++] = Math.cos(position * frequency);
      out[at++] = Math.sin(position * frequency);
    }
  }
  return out;
}

export function hadamard(host: Host, x: Tensor): Tensor<'f32'> {
  const { width } = rowsOf(host, x);
  if (!(width > 0 && (width & (width - 1)) === 0))
    throw inputError('hadamard', 'a width that is a power of two', width, {
      code: 'INVALID_SHAPE',
    });
  return mapRows(host, 'hadamardRows', x, floatWords(width ** -0.5));
}

export function quantise(
  host: Host,
  x: Tensor,
  { bits, range }: Parameters<Ops['quantise']>[1],
): Tensor<'f32'> {
  const steps = range === 'absmax' ? 2 ** (bits - 1) - 1 : 2 ** bits - 1;
  return mapRows(host, 'quantiseRows', x, [steps, range === 'minmax' ? 1 : 0]);
}
