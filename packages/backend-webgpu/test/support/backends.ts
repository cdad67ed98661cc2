import { existsSync } from 'node:fs';

import { WebGpuBackend } from '../../src/backend.js';
import { webgpu } from '../../src/index.js';

/** Debian's chromium brings a software Vulkan driver, which Node finds by this variable. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Heads tests that need an adapter where there is none. */
export const NO_ADAPTER = 'no WebGPU adapter: no Vulkan driver, and no chromium that brings one';

/**
 * Whether this machine has an adapter, a software one at least.
 * @throws {Error} when there is none and `CI` is set, which must not leave out what needs one
 */
export async function hasAdapter(): Promise<boolean> {
  if (!process.env.VK_DRIVER_FILES && existsSync(SWIFTSHADER)) {
    process.env.VK_DRIVER_FILES = SWIFTSHADER;
  }
  try {
    await (await webgpu()).dispose();
    return true;
  } catch (cause) {
    if (process.env.CI) throw new Error(`expected an adapter in CI: ${NO_ADAPTER}`, { cause });
    return false;
  }
}

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
  return new WebGpuBackend(device, { owned: false, limits: { ...all, ...limits } as never });
}
