import {
  assertRange,
  assertRank,
  type DType,
  inputError,
  type RotaryOptions,
  type Tensor,
} from '@jit-attention/core';

import { kernels, read } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import type { Lanes } from '../wgsl/row-writer.js';
import { EACH_COLUMN, mapRows, rowKernel } from './map-rows.js';

/** Positions whose turns are made of one coarse turn. */
const STRIDE = 64;

/**
 * See `Ops.rotary`. An angle at position 100,000 is more than f32 can hold, and `cos` in WGSL may be off by 5e-4: turns
 * are made here, in f64. A position is a coarse and a fine step, and its turn the product of theirs.
 */
export function rotary(gpu: Gpu, x: Tensor, options: RotaryOptions): Tensor<'f32'> {
  assertRank('rotary', x, 4);
  const [batch, heads, tokens, width] = x.shape as [number, number, number, number];
  const { frequencies, first, step = 1, channels = [0, width], interleaved = false } = options;
  const pairs = frequencies.length;
  assertRange('rotary: channels', channels, width);
  if (2 * pairs !== channels[1] - channels[0])
    throw inputError('rotary', `${channels[1] - channels[0]} / 2 frequencies`, pairs);
  if (first.length !== batch) throw inputError('rotary', `${batch} first positions`, first.length);

  const steps = Math.ceil(tokens / STRIDE);
  const coarse = first.flatMap((start) => multiples(start, step * STRIDE, steps));
  const fine = multiples(0, step, Math.min(STRIDE, tokens));
  return mapRows(gpu, x, (...of) => rotating(...of, interleaved), {
    words: [tokens, heads, steps, pairs, channels[0]],
    buffers: [coarse, fine].map((positions) => gpu.upload(turns(positions, frequencies))),
  });
}

const multiples = (start: number, by: number, count: number): number[] =>
  Array.from({ length: count }, (_, i) => start + by * i);

/** `[positions][frequencies][cos, sin]` */
function turns(positions: readonly number[], frequencies: readonly number[]): Float32Array {
  const out = new Float32Array(2 * positions.length * frequencies.length);
  let at = 0;
  for (const position of positions) {
    for (const frequency of frequencies) {
      out[at++] = Math.cos(position * frequency);
      out[at++] = Math.sin(position * frequency);
    }
  }
  return out;
}

const rotating = kernels((dtype: DType, lanes: Lanes, interleaved: boolean) =>
  rowKernel({
    ...{ name: 'rotary', dtype, lanes },
    buffers: { coarse: read('vec2f'), fine: read('vec2f') },
    body: /* wgsl */ `
  if (!live) { return; }
  let tokens = u32(words[EXTRA]);
  let token = row % tokens;
  let batch_row = row / tokens / u32(words[EXTRA + 1]);
  let pairs = u32(words[EXTRA + 3]);
  let coarse_at = (batch_row * u32(words[EXTRA + 2]) + token / ${STRIDE}u) * pairs;
  let fine_at = token % ${STRIDE}u * pairs;
  ${EACH_COLUMN} {
    let value = x_at(x_row, d);
    let i = d - u32(words[EXTRA + 4]);
    if (i >= 2 * pairs) { // also before the first channel, as u32
      y[y_row + d] = value;
      continue;
    }
    let pair = ${interleaved ? 'i / 2' : 'i % pairs'};
    let is_second = ${interleaved ? 'i % 2 == 1' : 'i >= pairs'};
    let across = ${interleaved ? '1u' : 'pairs'};
    let other = x_at(x_row, select(d + across, d - across, is_second));
    let a = coarse[coarse_at + pair];
    let b = fine[fine_at + pair];
    let turn = vec2f(a.x * b.x - a.y * b.y, a.x * b.y + a.y * b.x);
    y[y_row + d] = value * turn.x + select(-other, other, is_second) * turn.y;
  }`,
  }),
);
