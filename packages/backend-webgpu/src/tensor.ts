import { type DType, Tensor } from '@jit-attention/core';

import type { Storage } from './storage.js';

/** A tensor that lies in a buffer of the device. */
export class WebGpuTensor<D extends DType = DType> extends Tensor<D> {
  /**
   * The buffer that it lies in, from {@link bufferOffset} on for {@link bufferBytes}. It may be larger than the tensor
   * and is the backend's: copy from it or bind it, and do neither once the tensor is disposed of. What was asked of
   * the backend is in the device's queue after `await backend.submitted()`.
   *
   * f32 and i32 as they are, row-major. f16: pairs, rows rounded up to whole words; i8: a row's scale (f32), then its
   * codes, rounded up to whole words.
   *
   * @throws {LifetimeError} `TENSOR_DISPOSED`
   */
  get buffer(): GPUBuffer {
    return (this.storage as Storage).buffer;
  }

  /** Bytes from the start of {@link buffer}. */
  get bufferOffset(): number {
    return (this.storage as Storage).offset;
  }

  get bufferBytes(): number {
    return (this.storage as Storage).bytes;
  }
}
