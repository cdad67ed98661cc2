import { failed } from './failure.js';

/** What we ask a device for, as far as the adapter has it: the largest it can do. */
const LIMITS = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
] as const;
const FEATURES = ['shader-f16', 'subgroups', 'timestamp-query'] as const;

/** The best adapter of this host. @throws {BackendError} `BACKEND_FAILED` when there is none */
export async function findAdapter(): Promise<GPUAdapter> {
  const gpu = (globalThis.navigator as Navigator | undefined)?.gpu ?? (await gpuOfNode());
  const adapter = await gpu?.requestAdapter({ powerPreference: 'high-performance' });
  if (adapter) return adapter;
  throw failed(`expected a WebGPU adapter, got none${gpu ? '' : ': this host has no WebGPU'}`, {
    hint: isNode()
      ? 'in Node install the package `webgpu` and a Vulkan driver, or use @jit-attention/backend-cpu'
      : 'use a browser with WebGPU, or @jit-attention/backend-cpu',
  });
}

/** @throws {BackendError} `BACKEND_FAILED` when the adapter gives no device */
export async function openDevice(adapter: GPUAdapter): Promise<GPUDevice> {
  const requiredLimits = Object.fromEntries(LIMITS.map((name) => [name, adapter.limits[name]]));
  const requiredFeatures = FEATURES.filter((name) => adapter.features.has(name));
  try {
    const label = 'jit-attention';
    return await adapter.requestDevice({ label, requiredLimits, requiredFeatures });
  } catch (cause) {
    throw failed('expected a device of the adapter, got none', {
      cause,
      hint: 'an adapter gives one device only: ask for a fresh adapter',
    });
  }
}

const isNode = (): boolean => 'process' in globalThis && !('document' in globalThis);

let ofNode: Promise<GPU | undefined> | undefined;

/** Node has WebGPU by the package `webgpu`, whose one instance must stay alive. */
function gpuOfNode(): Promise<GPU | undefined> {
  ofNode ??= loadForNode();
  return ofNode;
}

async function loadForNode(): Promise<GPU | undefined> {
  if (!isNode()) return undefined;
  // In a variable: a bundler for browsers must not look for it.
  const name = 'webgpu';
  try {
    const { create } = (await import(/* @vite-ignore */ name)) as {
      create: (options: string[]) => GPU;
    };
    return create([]);
  } catch {
    return undefined;
  }
}
