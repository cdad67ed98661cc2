import { afterEach, beforeEach, describe, expect, it } from 'vitest';

import { webgpu, type WebGpuBackend } from '../src/index.js';
import { hasAdapter, NO_ADAPTER } from './support/backends.js';

/** Of `GPUBufferUsage` and `GPUMapMode`, which Node has no globals for. */
const [MAP_READ, COPY_SRC, COPY_DST, STORAGE] = [0x1, 0x4, 0x8, 0x80];

const found = await hasAdapter();

/** Two users of one device: the backend, and a caller who knows WebGPU alone. */
describe.skipIf(!found)(found ? 'in Node' : `in Node (${NO_ADAPTER})`, () => {
  let backend: WebGpuBackend;
  let device: GPUDevice;
  beforeEach(async () => {
    ({ device } = await webgpu());
    backend = await webgpu({ device });
  });
  afterEach(async () => {
    await backend.dispose();
    device.destroy();
  });

  function bufferOf(data: Float32Array | Int32Array | Uint32Array, usage = STORAGE): GPUBuffer {
    const buffer = device.createBuffer({
      size: data.byteLength,
      usage: usage | COPY_SRC | COPY_DST,
    });
    device.queue.writeBuffer(buffer, 0, data as Float32Array<ArrayBuffer>);
    return buffer;
  }

  async function contentOf(buffer: GPUBuffer, offset = 0, size = buffer.size): Promise<number[]> {
    const staging = device.createBuffer({ size, usage: MAP_READ | COPY_DST });
    const encoder = device.createCommandEncoder();
    encoder.copyBufferToBuffer(buffer, offset, staging, 0, size);
    device.queue.submit([encoder.finish()]);
    await staging.mapAsync(MAP_READ);
    return [...new Float32Array(staging.getMappedRange())];
  }

  const counted = (length: number): Float32Array => Float32Array.from({ length }, (_, i) => i + 1);

  it('reads a buffer where it lies, as it is at the call', async () => {
    const buffer = bufferOf(counted(4));
    const tensor = backend.fromBuffer(buffer, { shape: [1, 4] });
    const before = backend.hadamard(tensor);
    await backend.submitted();
    device.queue.writeBuffer(buffer, 0, Float32Array.of(0, 0, 0, 8));
    expect([...(await tensor.data())]).toEqual([0, 0, 0, 8]);
    expect([...(await before.data())]).toEqual([5, -1, -2, 0]);
    expect([...(await backend.hadamard(tensor).data())]).toEqual([4, -4, -4, 4]);
  });

  it('begins where it is told to', async () => {
    const buffer = bufferOf(counted(64 + 6));
    const tensor = backend.fromBuffer(buffer, { shape: [2, 3], offset: 256 });
    const turned = backend.permute(tensor, [1, 0]);
    expect([...(await turned.data())]).toEqual([65, 68, 66, 69, 67, 70]);
  });

  it('reads half floats and whole numbers', async () => {
    // 1, 2, -0.5, 65504 as half floats, two a word
    const halves = bufferOf(Uint32Array.of(0x4000_3c00, 0x7bff_b800));
    const tensor = backend.fromBuffer(halves, { shape: [2, 2], dtype: 'f16' });
    expect([...(await tensor.data())]).toEqual([1, 2, -0.5, 65504]);
    const integers = bufferOf(Int32Array.of(-7, 2 ** 31 - 1));
    const whole = backend.fromBuffer(integers, { shape: [2], dtype: 'i32' });
    expect([...(await whole.data())]).toEqual([-7, 2 ** 31 - 1]);
  });

  it('never writes to, frees or keeps it', async () => {
    const buffer = bufferOf(counted(4));
    const before = backend.buffers();
    const tensor = backend.fromBuffer(buffer, { shape: [1, 4] });
    expect(backend.buffers()).toEqual(before);
    backend.hadamard(tensor).dispose();
    tensor.dispose();
    await backend.dispose();
    expect(await contentOf(buffer)).toEqual([1, 2, 3, 4]);
    buffer.destroy();
  });

  it('hands out the buffer of a tensor, once what makes it is in the queue', async () => {
    const tensor = backend.tensor(counted(4), { shape: [1, 4] });
    const sums = backend.slice(backend.hadamard(tensor), { axis: 1, start: 0, end: 2 }) as never;
    await backend.submitted();
    const { buffer, bufferOffset, bufferBytes } = sums as ReturnType<WebGpuBackend['tensor']>;
    expect(bufferBytes).toBe(8);
    expect(await contentOf(buffer, bufferOffset, bufferBytes)).toEqual([5, -1]);
    const seen = backend.fromBuffer(buffer, { shape: [2], offset: bufferOffset });
    expect([...(await seen.data())]).toEqual([5, -1]);
  });

  it.each<[what: string, code: string, options: object, usage?: number]>([
    ['a shape that is larger', 'INVALID_SHAPE', { shape: [5] }],
    ['an offset beyond the end', 'INVALID_SHAPE', { shape: [1], offset: 256 }],
    ['an offset between two alignments', 'INVALID_OPTION', { shape: [1], offset: 4 }],
    ['a negative offset', 'INVALID_OPTION', { shape: [1], offset: -256 }],
    ['codes, which have scales of our own', 'INVALID_DTYPE', { shape: [1, 4], dtype: 'i8' }],
    ['half floats of an odd width', 'INVALID_DTYPE', { shape: [2, 3], dtype: 'f16' }],
    ['an unknown dtype', 'INVALID_DTYPE', { shape: [1], dtype: 'f8' }],
    ['a shape with a fraction', 'INVALID_SHAPE', { shape: [1.5] }],
    ['a buffer that cannot be bound', 'INVALID_OPTION', { shape: [1] }, COPY_DST],
  ])('refuses %s', (_, code, options, usage = STORAGE) => {
    const buffer = bufferOf(counted(4), usage);
    const error = expect.objectContaining({ code }) as Error;
    expect(() => backend.fromBuffer(buffer, options as never)).toThrow(error);
    expect(backend.memory().tensors).toBe(0);
  });

  it('refuses what is no buffer, and a buffer of another device', async () => {
    const error = expect.objectContaining({ code: 'INVALID_OPTION' }) as Error;
    expect(() => backend.fromBuffer({} as GPUBuffer, { shape: [1] })).toThrow(error);
    const other = await webgpu();
    const buffer = other.device.createBuffer({ size: 16, usage: STORAGE });
    const foreign = backend.hadamard(backend.fromBuffer(buffer, { shape: [1, 4] }));
    await expect(foreign.data()).rejects.toMatchObject({ code: 'BACKEND_FAILED' });
    await other.dispose();
  });
});
