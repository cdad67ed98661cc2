import {
  type Backend,
  type Entries,
  entriesOf,
  type ErrorCode,
  type PoolPart,
  reference,
  type Tensor,
} from '@jit-attention/core';

import { onBackend } from '../../src/backends.js';
import { assertFails } from '../../src/failure.js';
import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';

/** What would read or write beyond a tensor is refused by name, before anything is made. */
export function testRefusals(runner: Runner, { name, factory }: BackendSuite): void {
  runner.describe(`${name}: refusals`, () => {
    for (const [what, [code, call]] of Object.entries(CASES)) {
      runner.it(what, () =>
        onBackend(factory, (backend) => assertFails(code, () => call(backend))),
      );
    }
  });
}

const CASES: Readonly<Record<string, readonly [code: ErrorCode, call: (b: Backend) => unknown]>> = {
  'numbers that do not fill the shape': [
    'INVALID_SHAPE',
    (b) => b.tensor(new Float32Array(3), { shape: [2, 2] }),
  ],
  'a shape with a fraction': ['INVALID_SHAPE', (b) => zeros(b, 1.5)],
  'floats as i32': [
    'INVALID_DTYPE',
    (b) => b.tensor(new Float32Array(1) as never, { shape: [1], dtype: 'i32' }),
  ],
  'an unknown dtype': ['INVALID_DTYPE', (b) => b.zeros({ shape: [1], dtype: 'f8' as never })],
  'slice: axis': ['INVALID_OPTION', (b) => b.slice(zeros(b, 2, 2), { axis: 2, start: 0, end: 1 })],
  'slice: end': ['INVALID_OPTION', (b) => b.slice(zeros(b, 2, 2), { axis: 0, start: 0, end: 3 })],
  'permute: order': ['INVALID_OPTION', (b) => b.permute(zeros(b, 2, 2), [0, 0])],
  'gather: token': ['INVALID_OPTION', (b) => b.gather(zeros(b, 1, 1, 2, 4), [[0, 2]])],
  'gather: axes': ['INVALID_OPTION', (b) => b.gather(zeros(b, 1, 1), [[0, 0]])],
  'writeRows: width': [
    'INVALID_SHAPE',
    (b) => b.writeRows(zeros(b, 1, 1, 4, 8), zeros(b, 1, 1, 1, 4), Int32Array.of(0)),
  ],
  'writeRows: slot': [
    'INVALID_OPTION',
    (b) => b.writeRows(zeros(b, 1, 1, 4, 8), zeros(b, 1, 1, 1, 8), Int32Array.of(4)),
  ],
  'writeRows: slots': [
    'INVALID_OPTION',
    (b) => b.writeRows(zeros(b, 1, 1, 4, 8), zeros(b, 1, 1, 2, 8), Int32Array.of(0)),
  ],
  'copyPages: page': [
    'INVALID_OPTION',
    (b) => b.copyPages(zeros(b, 2, 1, 4, 8), zeros(b, 2, 1, 4, 8), [0], [2]),
  ],
  'copyPages: shape': [
    'INVALID_SHAPE',
    (b) => b.copyPages(zeros(b, 2, 1, 4, 8), zeros(b, 2, 1, 4, 4), [0], [0]),
  ],
  'copyPages: dtype': [
    'INVALID_DTYPE',
    (b) =>
      b.copyPages(zeros(b, 2, 1, 4, 8), b.zeros({ shape: [2, 1, 4, 8], dtype: 'f16' }), [0], [0]),
  ],
  'copyInto: place': [
    'INVALID_OPTION',
    (b) => b.copyInto(zeros(b, 2, 4), zeros(b, 2, 3), { axis: 1, at: 2 }),
  ],
  'copyInto: shape': [
    'INVALID_SHAPE',
    (b) => b.copyInto(zeros(b, 2, 4), zeros(b, 3, 3), { axis: 1, at: 0 }),
  ],
  'copyInto: channels of i8': [
    'INVALID_OPTION',
    (b) => {
      const [target, source] = [8, 4].map((width) => b.zeros({ shape: [2, width], dtype: 'i8' }));
      b.copyInto(target, source, { axis: 1, at: 0 });
    },
  ],
  'merge: nothing': ['INVALID_OPTION', (b) => b.merge([])],
  'merge: shapes': [
    'INVALID_SHAPE',
    (b) => b.merge([{ output: zeros(b, 1, 1, 2, 4), logSumExp: zeros(b, 1, 1, 3) }] as never),
  ],
  'merge: gates and sinks': [
    'PLAN_INVALID',
    (b) =>
      b.merge([{ output: zeros(b, 1, 1, 1, 4), logSumExp: zeros(b, 1, 1, 1) }] as never, {
        gates: zeros(b, 1, 1, 1, 1),
        sinkLogits: zeros(b, 1),
      }),
  ],
  'linear: weight': ['INVALID_SHAPE', (b) => b.linear(zeros(b, 2, 4), { weight: zeros(b, 3, 5) })],
  'linear: bias': [
    'INVALID_SHAPE',
    (b) => b.linear(zeros(b, 2, 4), { weight: zeros(b, 3, 4), bias: zeros(b, 4) }),
  ],
  'norm: weight': [
    'INVALID_SHAPE',
    (b) => b.norm(zeros(b, 2, 4), { kind: 'rms', eps: 0, weight: zeros(b, 5) }),
  ],
  'rotary: frequencies': [
    'INVALID_OPTION',
    (b) => b.rotary(zeros(b, 1, 1, 1, 4), { frequencies: [1], first: [0] }),
  ],
  'rotary: positions': [
    'INVALID_OPTION',
    (b) => b.rotary(zeros(b, 2, 1, 1, 2), { frequencies: [1], first: [0] }),
  ],
  'hadamard: width': ['INVALID_SHAPE', (b) => b.hadamard(zeros(b, 1, 3))],
  'pool: channels': ['INVALID_OPTION', (b) => poolOf(b, { channels: [0, 9] })],
  'pool: logits': ['MISSING_INPUT', (b) => poolOf(b, {}, 'softmax')],
  'pool: a freed page': ['ENTRY_FREED', (b) => poolOf(b, { values: freed(b) })],
  'a tensor of another backend': [
    'BACKEND_MISMATCH',
    (b) => b.hadamard(reference().zeros({ shape: [1, 4] })),
  ],
  'a tensor that is gone': [
    'TENSOR_DISPOSED',
    (b) => {
      const x = zeros(b, 1, 4);
      x.dispose();
      return b.hadamard(x);
    },
  ],
};

const zeros = (backend: Backend, ...shape: number[]): Tensor => backend.zeros({ shape });

const freed = (backend: Backend): Entries => ({
  ...entriesOf(zeros(backend, 2, 1, 4, 8)),
  tables: [[0, -1]],
  lengths: [8],
});

function poolOf(
  backend: Backend,
  part: Partial<PoolPart>,
  kind: 'mean' | 'softmax' = 'mean',
): unknown {
  const values = entriesOf(zeros(backend, 1, 1, 4, 8));
  const parts = [{ values, start: 0, length: 4, ...part }];
  return backend.pool({ kind, parts, stride: 4, first: [0], count: 2 });
}
