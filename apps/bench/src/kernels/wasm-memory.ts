/**
 * Makes something that makes a WASM memory, and keeps an eye on the memory: backends say how much their tensors take,
 * not how large the memory is that these lie in. It grows and never shrinks, so that its size in the end is its peak.
 */
export async function watched<T>(make: () => Promise<T>): Promise<[made: T, bytes: () => number]> {
  const { Memory } = WebAssembly;
  const memories: WebAssembly.Memory[] = [];
  class Watched extends Memory {
    constructor(descriptor: WebAssembly.MemoryDescriptor) {
      super(descriptor);
      memories.push(this);
    }
  }
  WebAssembly.Memory = Watched;
  try {
    const made = await make();
    return [made, () => memories.reduce((sum, { buffer }) => sum + buffer.byteLength, 0)];
  } finally {
    WebAssembly.Memory = Memory;
  }
}
