import type {
  AttendRequest,
  AttendResult,
  Backend,
  LinearOptions,
  NormOptions,
  Ops,
  PoolRequest,
  RotaryOptions,
  SelectRequest,
} from '../backend.js';
import { assertData, assertSpec } from '../check-storage.js';
import type { DataOf, Decoded, DType } from '../dtype.js';
import type { BlocksSelection, TokensSelection } from '../selection.js';
import { sizeOf, Tensor } from '../tensor.js';
import * as arrange from './arrange.js';
import { attend } from './attend.js';
import { merge } from './merge.js';
import { pool } from './pool.js';
import * as rows from './rows.js';
import { select } from './select.js';
import { allocate, type Numbers, numbersOf, round } from './storage.js';

/**
 * The backend that every other is held to: plain TypeScript in f64, written to be read, not to be fast. It
 * computes at the call, so its failures are thrown there. f32 tensors are held in f64 and are not rounded
 * between primitives; f16 and i8 are rounded when written.
 */
export function reference(): Backend {
  return new ReferenceBackend();
}

class ReferenceBackend implements Backend {
  readonly name = 'reference';
  readonly apiVersion = 1;
  readonly #live = new Set<Tensor>();

  tensor<D extends DType = 'f32'>(
    data: DataOf<D>,
    options: { shape: readonly number[]; dtype?: D | undefined },
  ): Tensor<D> {
    const { shape, dtype = 'f32' as D } = options;
    assertSpec('tensor', shape, dtype);
    assertData(data, shape, dtype);
    const values = allocate(dtype, data.length);
    values.set(data);
    round(dtype, values, shape.at(-1) ?? 1);
    return this.#make(values, shape, dtype);
  }

  zeros<D extends DType = 'f32'>(options: {
    shape: readonly number[];
    dtype?: D | undefined;
  }): Tensor<D> {
    const { shape, dtype = 'f32' as D } = options;
    assertSpec('tensor', shape, dtype);
    return this.#make(allocate(dtype, sizeOf(shape)), shape, dtype);
  }

  // eslint-disable-next-line @typescript-eslint/require-await -- what throws here must reject
  async read(tensor: Tensor): Promise<Float32Array | Int32Array> {
    return tensor.dtype === 'i32'
      ? Int32Array.from(numbersOf(tensor))
      : Float32Array.from(numbersOf(tensor));
  }

  release(tensor: Tensor): void {
    this.#live.delete(tensor);
  }

  memory(): { tensors: number; bytes: number } {
    return {
      tensors: this.#live.size,
      bytes: [...this.#live].reduce((sum, tensor) => sum + tensor.bytes, 0),
    };
  }

  writeRows(target: Tensor, source: Tensor, slots: Int32Array): void {
    const [, heads, pageSize, width] = target.shape;
    const tokens = source.shape[2];
    const [to, from] = [numbersOf(target), numbersOf(source)];
    slots.forEach((slot, i) => {
      if (slot < 0) return;
      const [page, entry] = [Math.floor(slot / pageSize), slot % pageSize];
      for (let head = 0; head < heads; head++) {
        const at = ((page * heads + head) * pageSize + entry) * width;
        const start = ((Math.floor(i / tokens) * heads + head) * tokens + (i % tokens)) * width;
        to.set(from.subarray(start, start + width), at);
        round(target.dtype, to, width, at, at + width);
      }
    });
  }

  copyPages(source: Tensor, target: Tensor, from: readonly number[], to: readonly number[]): void {
    const size = sizeOf(source.shape.slice(1));
    const pages = from.map((page) => numbersOf(source).slice(page * size, (page + 1) * size));
    pages.forEach((page, i) => numbersOf(target).set(page, to[i] * size));
  }

  copyInto(target: Tensor, source: Tensor, options: { axis: number; at: number }): void {
    arrange.copyInto(target, source, options);
  }

  attend(request: AttendRequest): AttendResult {
    const { query, keys, valueDim } = request;
    const [batch, heads, tokens] = query.shape;
    const { output, logSumExp, counts } = attend(request);
    return {
      output: this.#make(output, [batch, heads, tokens, valueDim]),
      logSumExp: this.#make(logSumExp, [batch, heads, tokens]),
      counts: this.#make(counts, [batch, keys.storage.shape[1], tokens], 'i32'),
    };
  }

  select(request: SelectRequest): BlocksSelection | TokensSelection {
    const { heads, queryBlocks, capacity, lists } = select(request);
    const shape = [request.positions.first.length, heads, queryBlocks];
    const ids = new Int32Array(lists.length * capacity);
    lists.forEach((list, i) => ids.set(list, i * capacity));
    const listed = {
      ids: this.#make(ids, [...shape, capacity], 'i32'),
      counts: this.#make(
        Int32Array.from(lists, (list) => list.length),
        shape,
        'i32',
      ),
      queryBlock: request.queryBlock ?? 1,
    };
    const { block = 1 } = request;
    return block === 1
      ? { kind: 'tokens', ...listed }
      : { kind: 'blocks', blockSize: block, ...listed };
  }

  merge(
    parts: Parameters<Ops['merge']>[0],
    options: Parameters<Ops['merge']>[1] = {},
  ): ReturnType<Ops['merge']> {
    const { output, logSumExp } = merge(parts, options);
    return {
      output: this.#make(output, parts[0].output.shape),
      logSumExp: this.#make(logSumExp, parts[0].logSumExp.shape),
    };
  }

  slice(tensor: Tensor, options: { axis: number; start: number; end: number }): Tensor<'f32'> {
    return this.#arranged(arrange.slice(tensor, options));
  }

  permute(tensor: Tensor, order: readonly number[]): Tensor<'f32'> {
    return this.#arranged(arrange.permute(tensor, order));
  }

  gather<D extends DType>(
    tensor: Tensor<D>,
    picks: readonly (readonly [row: number, token: number])[],
  ): Tensor<Decoded<D>> {
    const { values, shape } = arrange.gather(tensor, picks);
    return this.#make(values, shape, (tensor.dtype === 'i32' ? 'i32' : 'f32') as Decoded<D>);
  }

  pool(request: PoolRequest): Tensor<'f32'> {
    return this.#arranged(pool(request));
  }

  linear(x: Tensor, options: LinearOptions): Tensor<'f32'> {
    return this.#make(rows.linear(x, options), [...x.shape.slice(0, -1), options.weight.shape[0]]);
  }

  norm(x: Tensor, options: NormOptions): Tensor<'f32'> {
    return this.#make(rows.norm(x, options), x.shape);
  }

  rotary(x: Tensor, options: RotaryOptions): Tensor<'f32'> {
    return this.#make(rows.rotary(x, options), x.shape);
  }

  hadamard(x: Tensor): Tensor<'f32'> {
    return this.#make(rows.hadamard(x), x.shape);
  }

  quantise(x: Tensor, options: Parameters<Ops['quantise']>[1]): Tensor<'f32'> {
    return this.#make(rows.quantise(x, options), x.shape);
  }

  #arranged({ shape, values }: { shape: readonly number[]; values: Numbers }): Tensor<'f32'> {
    return this.#make(values, shape);
  }

  #make(values: Numbers, shape: readonly number[]): Tensor<'f32'>;
  #make<D extends DType>(values: Numbers, shape: readonly number[], dtype: D): Tensor<D>;
  #make(values: Numbers, shape: readonly number[], dtype: DType = 'f32'): Tensor {
    const tensor = new Tensor(this, { shape, dtype }, values);
    this.#live.add(tensor);
    return tensor;
  }
}
