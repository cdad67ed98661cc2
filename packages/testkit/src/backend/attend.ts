import { all, type AttendRequest, type AttendResult } from '@jit-attention/core';
import fc from 'fast-check';

import { uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { agree, type Bench, type FloatType, type Results } from './bench.js';
import {
  type Context,
  contexts,
  type Material,
  materialOf,
  steadyContexts,
  toleranceFor,
} from './context.js';
import { type HostSelection, type Kind, KINDS, selectionOf } from './selections.js';
import { type BackendSuite, property } from './suite.js';

/** `attend`: every kind of selection, every kind of storage. */
export function testAttend(runner: Runner, suite: BackendSuite): void {
  runner.describe(`${suite.name}: attend`, () => {
    for (const kind of KINDS) {
      property(runner, suite, `reads ${kind}`, [contexts()], (backend, context) => {
        const material = materialOf(context);
        const selection = randomSelection(context, kind);
        const tolerance = toleranceFor(context, material, suite.tolerance.f32);
        return agree(
          backend,
          (bench) => attend(bench, context, material, { selection }),
          tolerance,
        );
      });
    }
    for (const storage of ['f16', 'i8'] as const) testStorage(runner, suite, storage);
  });
}

function testStorage(runner: Runner, suite: BackendSuite, storage: 'f16' | 'i8'): void {
  const { tolerance } = suite;
  const cases = [contexts(), fc.constantFrom(...KINDS)] as const;
  property(runner, suite, `reads what ${storage} holds`, [...cases], (backend, context, kind) => {
    const material = materialOf(context, storage);
    const selection = randomSelection(context, kind);
    const compute = (bench: Bench): Attended =>
      attend(bench, context, material, { selection, storage });
    return agree(backend, compute, toleranceFor(context, material, tolerance.f32));
  });
  const rounds = `outputs lose no more to ${storage} than its tolerance`;
  property(runner, suite, rounds, [steadyContexts()], (backend, context) => {
    const material = materialOf(context);
    const compute = (bench: Bench): Results => {
      const stored = bench.isReference ? 'f32' : storage;
      const { output, logSumExp, counts } = attend(bench, context, material, { storage: stored });
      logSumExp.dispose();
      return { output, counts };
    };
    return agree(backend, compute, tolerance[storage]);
  });
  property(runner, suite, `takes queries of ${storage}`, [contexts()], (backend, context) => {
    const material = materialOf(context, storage);
    const compute = (bench: Bench): Attended =>
      attend(bench, context, material, { queries: storage });
    return agree(backend, compute, toleranceFor(context, material, tolerance.f32));
  });
}

export interface AttendOptions {
  /** Default: all. */
  readonly selection?: HostSelection | undefined;
  /** Of keys and values. */
  readonly storage?: FloatType | undefined;
  readonly queries?: FloatType | undefined;
}

export type Attended = Pick<AttendResult, 'output' | 'logSumExp' | 'counts'>;

export function attend(
  bench: Bench,
  { valueDim, visible, headDim, softcap }: Context,
  { query, keys, values, positions }: Material,
  { selection = all, storage = 'f32', queries = 'f32' }: AttendOptions = {},
): Attended {
  const request: AttendRequest = {
    query: bench.tensor(query, queries),
    keys: bench.entries(keys, storage),
    values: values === 'keys' ? 'keys' : bench.entries(values, storage),
    selection: bench.selection(selection),
    ...{ valueDim, visible, positions, softcap, scale: headDim ** -0.5 },
  };
  return bench.backend.attend(request);
}

/** A selection for a context; see {@link selectionOf}. */
export function randomSelection(context: Context, kind: Kind): HostSelection {
  const { lengths, kvHeads, tokens, seed } = context;
  const sizes = { batch: lengths.length, kvHeads, tokens, entries: Math.max(1, ...lengths) };
  return selectionOf(kind, sizes, uniform(seed, 'selection'));
}
