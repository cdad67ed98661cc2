import { webgpu } from '@jit-attention/backend-webgpu';
import { createAttention } from '@jit-attention/core';
import { topk } from '@jit-attention/strategy-topk';
import { hasAdapter, NO_ADAPTER } from '@jit-attention/testkit/exams/adapter';
import { describe, expect, it } from 'vitest';

const isThere = await hasAdapter(webgpu);
const HEADS = 2;
const WIDTH = 16;
const PROMPT = 256;
const WARM = 50;
const STEPS = 1000;

describe.skipIf(!isThere)(isThere ? 'on WebGPU' : `on WebGPU (${NO_ADAPTER})`, () => {
  it('1,000 decoder steps take no more memory of the device, and no more tensors', async () => {
    const backend = await webgpu();
    const { device } = backend;
    device.pushErrorScope('out-of-memory');
    device.pushErrorScope('validation');
    const strategy = topk({ budget: 192 });
    const attention = createAttention({ backend, strategy, heads: HEADS, headDim: WIDTH });
    const sequence = attention.sequence({ capacity: PROMPT + WARM + STEPS });
    const attend = async (tokens: number): Promise<Float32Array> => {
      const rows = Float32Array.from({ length: HEADS * tokens * WIDTH }, (_, i) =>
        Math.sin(i * i + sequence.length),
      );
      const result = await sequence.attend({ query: rows, key: rows, value: rows });
      const output = await result.output.data();
      result.dispose();
      return output;
    };
    await attend(PROMPT);
    for (let step = 0; step < WARM; step++) await attend(1);
    const before = { ...backend.buffers(), tensors: backend.memory().tensors };
    let last: Float32Array | undefined;
    for (let step = 0; step < STEPS; step++) last = await attend(1);
    const after = { ...backend.buffers(), tensors: backend.memory().tensors };
    expect(last!.every(Number.isFinite)).toBe(true);
    expect(after.tensors).toBe(before.tensors);
    expect(after.buffers).toBeLessThanOrEqual(before.buffers);
    expect(after.bytes).toBeLessThanOrEqual(before.bytes);
    expect(await device.popErrorScope()).toBeNull();
    expect(await device.popErrorScope()).toBeNull();
    sequence.dispose();
    expect(backend.memory().tensors).toBe(0);
    await backend.dispose();
  }, 180_000); // SwiftShader
});
