/**
 * What the GPU that is timed calls itself: `google swiftshader SwiftShader Device (…)`.
 * @throws {BackendError} `BACKEND_FAILED` where there is none
 */
export async function adapterName(): Promise<string> {
  const { webgpu } = await import('@jit-attention/backend-webgpu');
  const backend = await webgpu();
  const { vendor, architecture, description, device } = backend.device.adapterInfo;
  await backend.dispose();
  return [vendor, architecture, description || device].filter(Boolean).join(' ') || 'unnamed';
}
