/** Tests of WebGPU in Node. Not published. */
import { existsSync } from 'node:fs';

/** Debian's chromium brings a software Vulkan driver, which Node finds by this variable. */
const SWIFTSHADER = '/usr/lib/chromium/vk_swiftshader_icd.json';

/** Heads tests that need an adapter where there is none. */
export const NO_ADAPTER = 'no WebGPU adapter: no Vulkan driver, and no chromium that brings one';

/**
 * Whether this machine has an adapter, a software one at least.
 *
 * @param open makes a backend on it
 * @throws {Error} when there is none and `CI` is set, which must not leave out what needs one
 */
export async function hasAdapter(
  open: () => Promise<{ dispose(): Promise<void> }>,
): Promise<boolean> {
  if (!process.env.VK_DRIVER_FILES && existsSync(SWIFTSHADER)) {
    process.env.VK_DRIVER_FILES = SWIFTSHADER;
  }
  pollLess();
  try {
    await (await open()).dispose();
    return true;
  } catch (cause) {
    if (process.env.CI) throw new Error(`expected an adapter in CI: ${NO_ADAPTER}`, { cause });
    return false;
  }
}

/**
 * The package `webgpu` asks by `setImmediate`, without a pause, whether the device is done. That takes a core, which
 * an adapter of software computes on; to ask every millisecond is enough.
 */
function pollLess(): void {
  const later = (callback: () => void): unknown => setTimeout(callback, 1);
  globalThis.setImmediate = later as typeof setImmediate;
}
