import { type Backend, entriesOf, reference, type Tensor } from '@jit-attention/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { cpu } from '../src/index.js';

/** What would read or write beyond a tensor is refused by name, before anything is made. */
describe('refusals', () => {
  let backend: Backend;
  const zeros = (...shape: number[]): Tensor => backend.zeros({ shape });

  beforeAll(async () => void (backend = await cpu({ threads: 1 })));
  afterAll(async () => backend.dispose?.());

  const cases: Record<string, [code: string, call: () => unknown]> = {
    'numbers that do not fill the shape': [
      'INVALID_SHAPE',
      () => backend.tensor(new Float32Array(3), { shape: [2, 2] }),
    ],
    'a shape with a fraction': ['INVALID_SHAPE', () => zeros(1.5)],
    'floats as i32': [
      'INVALID_DTYPE',
      () => backend.tensor(new Float32Array(1) as never, { shape: [1], dtype: 'i32' }),
    ],
    'an unknown dtype': [
      'INVALID_DTYPE',
      () => backend.zeros({ shape: [1], dtype: 'f8' as never }),
    ],
    'slice: axis': [
      'INVALID_OPTION',
      () => backend.slice(zeros(2, 2), { axis: 2, start: 0, end: 1 }),
    ],
    'slice: end': [
      'INVALID_OPTION',
      () => backend.slice(zeros(2, 2), { axis: 0, start: 0, end: 3 }),
    ],
    'permute: order': ['INVALID_OPTION', () => backend.permute(zeros(2, 2), [0, 0])],
    'gather: token': ['INVALID_OPTION', () => backend.gather(zeros(1, 1, 2, 4), [[0, 2]])],
    'gather: axes': ['INVALID_OPTION', () => backend.gather(zeros(1, 1), [[0, 0]])],
    'writeRows: width': [
      'INVALID_SHAPE',
      () => backend.writeRows(zeros(1, 1, 4, 8), zeros(1, 1, 1, 4), Int32Array.of(0)),
    ],
    'writeRows: slot': [
      'INVALID_OPTION',
      () => backend.writeRows(zeros(1, 1, 4, 8), zeros(1, 1, 1, 8), Int32Array.of(4)),
    ],
    'writeRows: slots': [
      'INVALID_OPTION',
      () => backend.writeRows(zeros(1, 1, 4, 8), zeros(1, 1, 2, 8), Int32Array.of(0)),
    ],
    'copyPages: page': [
      'INVALID_OPTION',
      () => backend.copyPages(zeros(2, 1, 4, 8), zeros(2, 1, 4, 8), [0], [2]),
    ],
    'copyPages: shape': [
      'INVALID_SHAPE',
      () => backend.copyPages(zeros(2, 1, 4, 8), zeros(2, 1, 4, 4), [0], [0]),
    ],
    'copyPages: dtype': [
      'INVALID_DTYPE',
      () =>
        backend.copyPages(
          zeros(2, 1, 4, 8),
          backend.zeros({ shape: [2, 1, 4, 8], dtype: 'f16' }),
          [0],
          [0],
        ),
    ],
    'copyInto: place': [
      'INVALID_OPTION',
      () => backend.copyInto(zeros(2, 4), zeros(2, 3), { axis: 1, at: 2 }),
    ],
    'copyInto: shape': [
      'INVALID_SHAPE',
      () => backend.copyInto(zeros(2, 4), zeros(3, 3), { axis: 1, at: 0 }),
    ],
    'merge: nothing': ['INVALID_OPTION', () => backend.merge([])],
    'merge: shapes': [
      'INVALID_SHAPE',
      () => backend.merge([{ output: zeros(1, 1, 2, 4), logSumExp: zeros(1, 1, 3) }] as never),
    ],
    'merge: gates and sinks': [
      'PLAN_INVALID',
      () =>
        backend.merge([{ output: zeros(1, 1, 1, 4), logSumExp: zeros(1, 1, 1) }] as never, {
          gates: zeros(1, 1, 1, 1),
          sinkLogits: zeros(1),
        }),
    ],
    'linear: weight': ['INVALID_SHAPE', () => backend.linear(zeros(2, 4), { weight: zeros(3, 5) })],
    'linear: bias': [
      'INVALID_SHAPE',
      () => backend.linear(zeros(2, 4), { weight: zeros(3, 4), bias: zeros(4) }),
    ],
    'norm: weight': [
      'INVALID_SHAPE',
      () => backend.norm(zeros(2, 4), { kind: 'rms', eps: 0, weight: zeros(5) }),
    ],
    'rotary: frequencies': [
      'INVALID_OPTION',
      () => backend.rotary(zeros(1, 1, 1, 4), { frequencies: [1], first: [0] }),
    ],
    'rotary: positions': [
      'INVALID_OPTION',
      () => backend.rotary(zeros(2, 1, 1, 2), { frequencies: [1], first: [0] }),
    ],
    'hadamard: width': ['INVALID_SHAPE', () => backend.hadamard(zeros(1, 3))],
    'pool: channels': ['INVALID_OPTION', () => poolOf({ channels: [0, 9] })],
    'pool: logits': ['MISSING_INPUT', () => poolOf({}, 'softmax')],
    'pool: a freed page': ['ENTRY_FREED', () => poolOf({ values: freed() })],
    'a tensor of another backend': [
      'BACKEND_MISMATCH',
      () => backend.hadamard(reference().zeros({ shape: [1, 4] })),
    ],
    'a tensor that is gone': [
      'TENSOR_DISPOSED',
      () => {
        const x = zeros(1, 4);
        x.dispose();
        return backend.hadamard(x);
      },
    ],
  };

  const freed = () => ({ ...entriesOf(zeros(2, 1, 4, 8)), tables: [[0, -1]], lengths: [8] });

  function poolOf(part: object, kind: 'mean' | 'softmax' = 'mean'): unknown {
    const values = entriesOf(zeros(1, 1, 4, 8));
    const parts = [{ values, start: 0, length: 4, ...part }];
    return backend.pool({ kind, parts, stride: 4, first: [0], count: 2 });
  }

  it.each(Object.entries(cases))('%s', (_, [code, call]) => {
    expect(call).toThrow(expect.objectContaining({ code }) as Error);
  });
});
