import { assertSpec, type DType, inputError } from '@jit-attention/core';

import type { DeviceGpu } from './device-gpu.js';
import { STORAGE } from './device/usage.js';
import { storageBytes } from './storage.js';
import type { WebGpuTensor } from './tensor.js';

interface Stretch<D extends DType> {
  readonly shape: readonly number[];
  readonly dtype?: D | undefined;
  readonly offset?: number | undefined;
}

/** See `WebGpuBackend.fromBuffer`. */
export function borrow<D extends DType>(
  gpu: DeviceGpu,
  buffer: GPUBuffer,
  { shape, dtype = 'f32' as D, offset = 0 }: Stretch<D>,
): WebGpuTensor<D> {
  assertSpec('fromBuffer', shape, dtype);
  const width = shape.at(-1)!;
  if (dtype === 'i8' || (dtype === 'f16' && width % 2 !== 0)) {
    const expected = 'f32, i32, or f16 of an even width';
    throw inputError('fromBuffer', expected, `${dtype} of width ${width}`, {
      code: 'INVALID_DTYPE',
    });
  }
  const alignment = gpu.limits.minStorageBufferOffsetAlignment;
  if (!(Number.isInteger(offset) && offset >= 0 && offset % alignment === 0)) {
    throw inputError('fromBuffer', `an offset in bytes that is a multiple of ${alignment}`, offset);
  }
  const bytes = storageBytes(shape, dtype);
  if (offset + bytes > buffer.size) {
    const expected = `a buffer of at least ${offset + bytes} bytes`;
    throw inputError('fromBuffer', expected, buffer.size, { code: 'INVALID_SHAPE' });
  }
  if ((buffer.usage & STORAGE) === 0) {
    throw inputError('fromBuffer', 'a buffer with usage STORAGE', `usage ${buffer.usage}`);
  }
  return gpu.adopt(shape, dtype, { buffer, offset, bytes }, true);
}
