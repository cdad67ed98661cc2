import { exceeds } from '../failure.js';
import { COPY_DST, COPY_SRC, STORAGE } from './usage.js';

/** Runs what makes objects of the device, and has it judged. */
export type Guard = <T>(make: () => T) => T;

/** Idle buffers are kept up to as many bytes as are in use, and this much besides. */
const IDLE_BYTES = 64 << 20;

export interface PoolCounters {
  /** Buffers of the device that the pool holds, and their bytes; idle ones included. */
  readonly buffers: number;
  readonly bytes: number;
  /** Bytes that are waiting to be used again. */
  readonly idleBytes: number;
}

/**
 * Storage buffers that are used again and again: a decode step asks for the same sizes every time.
 *
 * Sizes are rounded up to four steps an octave, so that at most a fifth of a buffer is wasted. Numbers of the last
 * user are still there.
 */
export class BufferPool {
  readonly #device: GPUDevice;
  readonly #guard: Guard;
  /** All that it has made and not destroyed. */
  readonly #made = new Set<GPUBuffer>();
  readonly #idle = new Map<number, GPUBuffer[]>();
  #bytes = 0;
  #idleBytes = 0;

  constructor(device: GPUDevice, guard: Guard) {
    this.#device = device;
    this.#guard = guard;
  }

  /** @throws {BackendError} `BACKEND_FAILED` when the device has no buffers of that size */
  take(bytes: number): GPUBuffer {
    const size = sizeClass(bytes);
    const buffer = this.#idle.get(size)?.pop();
    if (buffer) {
      this.#idleBytes -= size;
      return buffer;
    }
    const { maxBufferSize } = this.#device.limits;
    // The last step below the limit may be larger than it.
    const fitting = size > maxBufferSize ? 4 * Math.ceil(bytes / 4) : size;
    if (fitting > maxBufferSize) throw exceeds('maxBufferSize', bytes, maxBufferSize);
    return this.#make(fitting);
  }

  /** Nothing that was queued after the last use may still be waiting to be submitted. */
  give(buffer: GPUBuffer): void {
    const { size } = buffer;
    const inUse = this.#bytes - this.#idleBytes - size;
    if (this.#idleBytes + size > inUse + IDLE_BYTES) return this.#destroy(buffer);
    const idle = this.#idle.get(size);
    if (idle) idle.push(buffer);
    else this.#idle.set(size, [buffer]);
    this.#idleBytes += size;
  }

  counters(): PoolCounters {
    return { buffers: this.#made.size, bytes: this.#bytes, idleBytes: this.#idleBytes };
  }

  /** Destroys all buffers, whoever has them. */
  dispose(): void {
    for (const buffer of this.#made) this.#destroy(buffer);
    this.#idle.clear();
    this.#idleBytes = 0;
  }

  #make(size: number): GPUBuffer {
    const usage = STORAGE | COPY_SRC | COPY_DST;
    const buffer = this.#guard(() => this.#device.createBuffer({ size, usage }));
    this.#made.add(buffer);
    this.#bytes += size;
    return buffer;
  }

  #destroy(buffer: GPUBuffer): void {
    this.#made.delete(buffer);
    this.#bytes -= buffer.size;
    buffer.destroy();
  }
}

/** Bytes rounded up to 4, 5, 6 or 7 times a power of two, at least 256. */
export function sizeClass(bytes: number): number {
  if (bytes <= 256) return 256;
  const step = 2 ** (Math.ceil(Math.log2(bytes)) - 3);
  return Math.ceil(bytes / step) * step;
}
