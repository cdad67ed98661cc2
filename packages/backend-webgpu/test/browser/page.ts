/** What runs in the browser: an aspect of testkit's suite. */
import {
  type BackendSuite,
  type Runner,
  testArrange,
  testAttend,
  testEquivalences,
  testExtremes,
  testMerge,
  testPool,
  testRows,
  testSelect,
  testStorage,
  testTensors,
  tolerances,
} from '@jit-attention/testkit';
import { offer } from '@jit-attention/testkit/exams/page';

import { webgpu, type WebGpuBackend } from '../../src/index.js';

type Aspect =
  | 'Storage'
  | 'Arrange'
  | 'Rows'
  | 'Pool'
  | 'Merge'
  | 'Attend'
  | 'Equivalences'
  | 'Extremes'
  | 'Select'
  | 'Tensors';

const ASPECTS: Readonly<Record<`test${Aspect}`, (runner: Runner, suite: BackendSuite) => void>> = {
  testStorage,
  testArrange,
  testRows,
  testPool,
  testMerge,
  testAttend,
  testEquivalences,
  testExtremes,
  testSelect,
  testTensors,
};

export interface Asked {
  readonly aspect: `test${Aspect}`;
  readonly cases: number;
}

let first: Promise<WebGpuBackend> | undefined;

/** On one device: what is compiled is compiled once. */
async function factory(): Promise<WebGpuBackend> {
  first ??= webgpu();
  return webgpu({ device: (await first).device });
}

offer<Asked>((runner, { aspect, cases }) =>
  ASPECTS[aspect](runner, { name: '', factory, tolerance: tolerances.webgpu, cases }),
);
