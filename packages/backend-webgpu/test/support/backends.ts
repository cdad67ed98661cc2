import * as adapter from '@jit-attention/testkit/exams/adapter';

import { WebGpuBackend } from '../../src/backend.js';
import type { Abilities } from '../../src/device-gpu.js';
import { webgpu } from '../../src/index.js';

export { NO_ADAPTER } from '@jit-attention/testkit/exams/adapter';
export const hasAdapter = (): Promise<boolean> => adapter.hasAdapter(webgpu);

let first: Promise<WebGpuBackend> | undefined;

/** A fresh backend, on a device that the tests of a file share: what it compiles it compiles once. */
export async function onOneDevice(): Promise<WebGpuBackend> {
  first ??= webgpu();
  return webgpu({ device: (await first).device });
}

/** Runs on a fresh backend, and ends it. */
export async function onWebGpu(
  body: (backend: WebGpuBackend) => void | Promise<void>,
): Promise<void> {
  const backend = await webgpu();
  try {
    await body(backend);
  } finally {
    await backend.dispose();
  }
}

export type Limits = Partial<Record<keyof GPUSupportedLimits, number>>;

/** A backend that asks less of a device than it can do. */
export function limitedTo(limits: Limits, device: GPUDevice): WebGpuBackend {
  const all: Record<string, unknown> = {};
  // They are getters of a prototype.
  for (const name in device.limits) all[name] = device.limits[name as keyof GPUSupportedLimits];
  return new WebGpuBackend(device, {
    owned: false,
    able: { limits: { ...all, ...limits } as never },
  });
}

/** A backend whose kernels are made for another GPU than the one it runs on. */
export function asOn(able: Partial<Abilities>, device: GPUDevice): WebGpuBackend {
  return new WebGpuBackend(device, { owned: false, able });
}
