import { assertCopyInto } from '../check-storage.js';
import { sizeOf, type Tensor } from '../tensor.js';
import { type Numbers, numbersOf } from './storage.js';

interface Arranged {
  readonly shape: number[];
  readonly values: Numbers;
}

const copyOf = (tensor: Tensor, size: number): Numbers =>
  tensor.dtype === 'i32' ? new Int32Array(size) : new Float64Array(size);

export function slice(
  tensor: Tensor,
  { axis, start, end }: { axis: number; start: number; end: number },
): Arranged {
  const shape = tensor.shape.map((length, i) => (i === axis ? end - start : length));
  const inner = sizeOf(tensor.shape.slice(axis + 1));
  const [from, values] = [numbersOf(tensor), copyOf(tensor, sizeOf(shape))];
  const [step, run] = [tensor.shape[axis] * inner, (end - start) * inner];
  for (let outer = 0; outer * run < values.length; outer++) {
    const at = outer * step + start * inner;
    values.set(from.subarray(at, at + run), outer * run);
  }
  return { shape, values };
}

export function copyInto(
  target: Tensor,
  source: Tensor,
  { axis, at }: { axis: number; at: number },
): void {
  assertCopyInto(target, source, { axis, at });
  const inner = sizeOf(target.shape.slice(axis + 1));
  const [step, run] = [target.shape[axis] * inner, source.shape[axis] * inner];
  const [into, from] = [numbersOf(target), numbersOf(source)];
  for (let outer = 0; outer * run < from.length; outer++) {
    into.set(from.subarray(outer * run, (outer + 1) * run), outer * step + at * inner);
  }
}

export function permute(tensor: Tensor, order: readonly number[]): Arranged {
  const strides = tensor.shape.map((_, axis) => sizeOf(tensor.shape.slice(axis + 1)));
  const shape = order.map((axis) => tensor.shape[axis]);
  const [from, values] = [numbersOf(tensor), copyOf(tensor, tensor.size)];
  const index = new Array<number>(shape.length).fill(0);
  for (let i = 0; i < values.length; i++) {
    values[i] = from[index.reduce((sum, n, axis) => sum + n * strides[order[axis]], 0)];
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis] === shape[axis]; axis--)
      index[axis] = 0;
  }
  return { shape, values };
}

/** Picks of `[B, X, T, ...]`: `[picks, X, 1, ...]`. */
export function gather(
  tensor: Tensor,
  picks: readonly (readonly [row: number, token: number])[],
): Arranged {
  const [, heads, tokens, ...rest] = tensor.shape;
  const inner = sizeOf(rest);
  const values = copyOf(tensor, picks.length * heads * inner);
  picks.forEach(([row, token], i) => {
    for (let head = 0; head < heads; head++) {
      const at = ((row * heads + head) * tokens + token) * inner;
      values.set(numbersOf(tensor).subarray(at, at + inner), (i * heads + head) * inner);
    }
  });
  return { shape: [picks.length, heads, 1, ...rest], values };
}
