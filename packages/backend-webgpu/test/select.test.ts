import { testSelection } from '@jit-attention/testkit/exams/selection';
import { cases, tolerances } from '@jit-attention/testkit';
import { describe, it } from 'vitest';

import { findAdapter } from '../src/adapter.js';
import { webgpu, type WebGpuBackend } from '../src/index.js';
import { hasAdapter, NO_ADAPTER, onOneDevice } from './support/backends.js';

const found = await hasAdapter();

let plain: Promise<GPUDevice> | undefined;

/** A fresh backend over a device without subgroups. */
async function onPlainDevice(): Promise<WebGpuBackend> {
  plain ??= findAdapter().then((adapter) => adapter.requestDevice());
  return webgpu({ device: await plain });
}

describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  // A software adapter compiles a kernel for every other way to ask, for a tenth of a second and more.
  const suite = (name: string, factory: () => Promise<WebGpuBackend>, most: number) =>
    testSelection(
      { describe, it },
      { name, factory, tolerance: tolerances.webgpu, cases: Math.min(most, cases()) },
      { leavesOut: true },
    );
  suite('webgpu', onOneDevice, 15);
  suite('webgpu, no subgroups', onPlainDevice, 5);
});
