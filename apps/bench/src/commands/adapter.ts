/**
 * What the GPU that is timed calls itself: `google swiftshader SwiftShader Device (…)`.
 * @throws {BackendError} `BACKEND_FAILED` where there is none
 */
export async function adapterName(): Promise<string> {
  const { webgpu } = await import('@jit-attention/backend-webgpu');
  const backend = await webgpu();
  const info = backend.device.adapterInfo;
  await backend.dispose();
  return nameOf(info);
}

/** What an adapter calls itself; a browser says less than Node. */
export function nameOf({
  vendor,
  architecture,
  description,
  device,
}: Pick<GPUAdapterInfo, 'vendor' | 'architecture' | 'description' | 'device'>): string {
  return [vendor, architecture, description || device].filter(Boolean).join(' ') || 'unnamed';
}
