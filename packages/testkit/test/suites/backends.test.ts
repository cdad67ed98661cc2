import { type Backend, reference } from '@jit-attention/core';
import { describe, expect, it, vi } from 'vitest';

import {
  type BackendSuite,
  type Runner,
  testArrange,
  testAttend,
  testExtremes,
  testMerge,
  testPool,
  testRows,
  testSelect,
  testStorage,
  testTensors,
  tolerances,
} from '../../src/index.js';
import { failuresOf } from './collect.js';

type Defect = (right: Backend) => Partial<Backend>;
type Aspect = (runner: Runner, suite: BackendSuite) => void;

/** The reference with some of its primitives done wrong. */
function defective(defect: Defect): Backend {
  const right = reference();
  const wrong = defect(right);
  return new Proxy(right, {
    get(_, name) {
      const member: unknown = Reflect.get(name in wrong ? wrong : right, name);
      return typeof member === 'function' ? (member.bind(right) as unknown) : member;
    },
  });
}

const suiteOf = (defect: Defect): BackendSuite => ({
  ...{ name: 'defective', factory: () => defective(defect) },
  tolerance: tolerances.webgpu,
});

/** Each with the aspect that must find it. */
const DEFECTS: readonly (readonly [string, Aspect, Defect])[] = [
  [
    'lets queries see the future',
    testAttend,
    (right) => ({ attend: (request) => right.attend({ ...request, visible: undefined }) }),
  ],
  [
    'reads for padding',
    testAttend,
    (right) => ({
      attend: ({ positions, ...request }) => {
        const counts = positions.counts.map(() => positions.tokens);
        return right.attend({ ...request, positions: { ...positions, counts } });
      },
    }),
  ],
  [
    'forgets the softcap',
    testAttend,
    (right) => ({ attend: (request) => right.attend({ ...request, softcap: undefined }) }),
  ],
  [
    'leaves a tensor behind',
    testExtremes,
    (right) => ({
      attend: (request) => {
        right.zeros({ shape: [1] });
        return right.attend(request);
      },
    }),
  ],
  [
    'forgets the sinks',
    testMerge,
    (right) => ({ merge: (parts, options) => right.merge(parts, { gates: options?.gates }) }),
  ],
  [
    'picks one too many',
    testSelect,
    (right) => ({
      select: ({ pick, ...request }) => {
        const more = pick.kind === 'topk' ? { ...pick, k: pick.k + 1 } : pick;
        return right.select({ ...request, pick: more });
      },
    }),
  ],
  [
    'forgets what is always in',
    testSelect,
    (right) => ({ select: (request) => right.select({ ...request, always: [] }) }),
  ],
  [
    'forgets the candidates',
    testSelect,
    (right) => ({ select: (request) => right.select({ ...request, within: undefined }) }),
  ],
  [
    'forgets the bias',
    testRows,
    (right) => ({ linear: (x, options) => right.linear(x, { ...options, bias: undefined }) }),
  ],
  [
    'computes angles in f32',
    testRows,
    (right) => ({
      rotary: (x, { frequencies, ...options }) =>
        right.rotary(x, { ...options, frequencies: frequencies.map(Math.fround) }),
    }),
  ],
  [
    'pools rows behind the end',
    testPool,
    (right) => ({
      pool: ({ parts, ...request }) =>
        right.pool({
          ...request,
          parts: parts.map(({ start, ...part }) => ({ ...part, start: Math.max(0, start) })),
        }),
    }),
  ],
  [
    'writes rows that are to be skipped',
    testStorage,
    (right) => ({
      writeRows: (target, source, slots) =>
        right.writeRows(
          target,
          source,
          slots.map((slot) => Math.max(0, slot)),
        ),
    }),
  ],
  [
    'copies pages to the wrong place',
    testStorage,
    (right) => ({
      copyPages: (source, target, from, to) => right.copyPages(source, target, to, from),
    }),
  ],
  [
    'transposes the wrong way round',
    testArrange,
    (right) => ({
      permute: (tensor, order) =>
        right.permute(
          tensor,
          order.map((_, axis) => order.indexOf(axis)),
        ),
    }),
  ],
  [
    'accepts any shape',
    testTensors,
    (right) => ({
      tensor: (data, options) => right.tensor(data, { ...options, shape: [data.length] }),
    }),
  ],
];

// Defects show in few cases.
vi.stubEnv('JIT_ATTENTION_CASES', '50');

describe('testBackend', () => {
  it.each(DEFECTS)('finds one that %s', async (_, aspect, defect) => {
    expect(
      await failuresOf((runner) =>
        aspect(
          runner,
          suiteOf(() => ({})),
        ),
      ),
    ).toEqual([]);
    expect(await failuresOf((runner) => aspect(runner, suiteOf(defect)))).not.toEqual([]);
  });
});
