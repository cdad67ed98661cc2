import {
  assertData,
  assertSpec,
  type AttendRequest,
  type AttendResult,
  type Backend,
  type BlocksSelection,
  type DataOf,
  type Decoded,
  type DType,
  type Ops,
  type Pick,
  type PoolRequest,
  type RotaryOptions,
  type SelectRequest,
  type Tensor,
  type TokensSelection,
} from '@jit-attention/core';

import { attend } from './attend.js';
import { failed } from './failure.js';
import * as arrange from './ops/arrange.js';
import { asFloats, convert, rowsOf } from './ops/convert.js';
import { merge } from './ops/merge.js';
import { pool } from './ops/pool.js';
import * as rows from './ops/rows.js';
import * as write from './ops/write.js';
import { select } from './select.js';
import { pickScores } from './select/pick-scores.js';
import type { WasmHost } from './wasm-host.js';

/** The primitives on WASM kernels. They compute at the call, so their failures are thrown there. */
export class CpuBackend implements Backend {
  readonly name = 'cpu';
  readonly apiVersion = 1;
  /** Let go by `dispose()`, and the WASM memory with it. */
  #live: WasmHost | undefined;

  constructor(makeHost: (backend: Backend) => WasmHost) {
    this.#live = makeHost(this);
  }

  get #host(): WasmHost {
    if (this.#live) return this.#live;
    throw failed('the backend is disposed of');
  }

  tensor<D extends DType = 'f32'>(
    data: DataOf<D>,
    options: { shape: readonly number[]; dtype?: D | undefined },
  ): Tensor<D> {
    const { shape, dtype = 'f32' as D } = options;
    assertSpec('tensor', shape, dtype);
    assertData(data, shape, dtype);
    return this.#host.perform(() => {
      const tensor = this.#host.make(shape, dtype);
      this.#fill(tensor, data);
      return tensor;
    });
  }

  zeros<D extends DType = 'f32'>(options: {
    shape: readonly number[];
    dtype?: D | undefined;
  }): Tensor<D> {
    const { shape, dtype = 'f32' as D } = options;
    assertSpec('tensor', shape, dtype);
    return this.#host.perform(() => {
      const tensor = this.#host.make(shape, dtype);
      this.#host.memory.u8(this.#host.pointerOf(tensor), tensor.bytes).fill(0);
      return tensor;
    });
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here must reject
  async read(tensor: Tensor): Promise<Float32Array | Int32Array> {
    return this.#host.perform(() => {
      const { memory } = this.#host;
      if (tensor.dtype === 'i32')
        return Int32Array.from(memory.i32(this.#host.pointerOf(tensor), tensor.size));
      const ptr = asFloats(this.#host, tensor);
      return Float32Array.from(memory.f32(ptr, tensor.size));
    });
  }

  release(tensor: Tensor): void {
    this.#live?.release(tensor);
  }

  async dispose(): Promise<void> {
    const host = this.#live;
    this.#live = undefined;
    await host?.dispose();
  }

  memory(): { tensors: number; bytes: number } {
    return this.#live?.held() ?? { tensors: 0, bytes: 0 };
  }

  writeRows(target: Tensor, source: Tensor, slots: Int32Array): void {
    this.#host.perform(() => write.writeRows(this.#host, target, source, slots));
  }

  copyPages(source: Tensor, target: Tensor, from: readonly number[], to: readonly number[]): void {
    this.#host.perform(() => write.copyPages(this.#host, source, target, from, to));
  }

  copyInto(target: Tensor, source: Tensor, options: { axis: number; at: number }): void {
    this.#host.perform(() => write.copyInto(this.#host, target, source, options));
  }

  attend(request: AttendRequest): AttendResult {
    return this.#host.perform(() => attend(this.#host, request));
  }

  select(request: SelectRequest): BlocksSelection | TokensSelection {
    return this.#host.perform(() => select(this.#host, request));
  }

  /** Picks from scores `[B, heads, T, N]`: what `select` ends with, to be timed by itself. */
  pick(scores: Tensor<'f32'>, pick: Pick): TokensSelection {
    return this.#host.perform(() => pickScores(this.#host, scores, pick));
  }

  slice(tensor: Tensor, options: { axis: number; start: number; end: number }): Tensor<'f32'> {
    return this.#host.perform(() => arrange.slice(this.#host, tensor, options));
  }

  permute(tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
    return this.#host.perform(() => arrange.permute(this.#host, tensor, order));
  }

  gather<D extends DType>(
    tensor: Tensor<D>,
    picks: readonly (readonly [row: number, token: number])[],
  ): Tensor<Decoded<D>> {
    return this.#host.perform(() => arrange.gather(this.#host, tensor, picks));
  }

  merge(
    parts: Parameters<Ops['merge']>[0],
    options: Parameters<Ops['merge']>[1] = {},
  ): ReturnType<Ops['merge']> {
    return this.#host.perform(() => merge(this.#host, parts, options));
  }

  pool(request: PoolRequest): Tensor<'f32'> {
    return this.#host.perform(() => pool(this.#host, request));
  }

  linear(x: Tensor, options: Parameters<Ops['linear']>[1]): Tensor<'f32'> {
    return this.#host.perform(() => rows.linear(this.#host, x, options));
  }

  norm(x: Tensor, options: Parameters<Ops['norm']>[1]): Tensor<'f32'> {
    return this.#host.perform(() => rows.norm(this.#host, x, options));
  }

  rotary(x: Tensor, options: RotaryOptions): Tensor<'f32'> {
    return this.#host.perform(() => rows.rotary(this.#host, x, options));
  }

  hadamard(x: Tensor): Tensor<'f32'> {
    return this.#host.perform(() => rows.hadamard(this.#host, x));
  }

  quantise(x: Tensor, options: Parameters<Ops['quantise']>[1]): Tensor<'f32'> {
    return this.#host.perform(() => rows.quantise(this.#host, x, options));
  }

  /** One copy; for f16 and i8 one more, which is converted. */
  #fill(tensor: Tensor, data: Float32Array | Int32Array): void {
    const host = this.#host;
    const target = rowsOf(host, tensor);
    if (tensor.dtype === 'i32') return host.memory.i32(target.ptr, data.length).set(data);
    if (tensor.dtype === 'f32') return host.memory.f32(target.ptr, data.length).set(data);
    convert(host, { ...target, ptr: host.arena.f32(data), dtype: 'f32' }, target);
  }
}
