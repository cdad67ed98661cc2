import type { Known } from './fact.js';

type Dims = readonly Known[];

/** Axis `-1` is the last. */
export const axisOf = (axis: number, rank: number): number => (axis < 0 ? axis + rank : axis);

/** Sizes that something of unknown rank fits into: an activation's, not those of a scale or a bias. */
const LEAST_RANK = 3;

/**
 * numpy's broadcasting, as far as known. A side of unknown rank is taken to fit into an activation on the other:
 * rotary tables and masks are what often comes without a shape, and they do.
 */
export function broadcast(a: Dims | undefined, b: Dims | undefined): Dims | undefined {
  if (!a || !b) {
    const one = a ?? b;
    return one && one.length >= LEAST_RANK ? one.map((size) => larger(size, undefined)) : undefined;
  }
  const rank = Math.max(a.length, b.length);
  const from = (dims: Dims, axis: number): Known =>
    axis < rank - dims.length ? 1 : dims[axis - rank + dims.length];
  return Array.from({ length: rank }, (_, axis) => larger(from(a, axis), from(b, axis)));
}

/** 1 gives way, also to what is not known; any other size is the result's. */
function larger(a: Known, b: Known): Known {
  if (a === 1) return b;
  if (b === 1) return a;
  return a ?? b;
}

export function product(dims: Dims): Known {
  return dims.reduce<Known>(
    (all, one) => (all === undefined || one === undefined ? undefined : all * one),
    1,
  );
}

/**
 * `Reshape`: 0 keeps a size, -1 is what is left. What is not known in front (`[batch, tokens, -1, 64]`) is taken to
 * be the sizes in front of the input, as it is where heads are split or joined.
 */
export function reshaped(dims: Dims | undefined, shape: Dims): Dims {
  const rest = shape.indexOf(-1);
  const kept = shape.findIndex((size) => size !== 0 && size !== undefined);
  const front = kept < 0 ? shape.length : kept;
  const sizes = shape.map((size, axis) => (size === 0 || axis < front ? dims?.[axis] : size));
  if (rest < 0 || !dims) return sizes.map((size) => (size === -1 ? undefined : size));
  const total = product(dims.slice(front));
  const others = product(sizes.filter((_, axis) => axis >= front && axis !== rest));
  const left = total === undefined || others === undefined ? undefined : total / others;
  return sizes.map((size, axis) => (axis === rest ? left : size));
}

/** `[start, end)` of an axis of this size, as `Slice` counts: negative from the end, clamped. */
export function sliceRange(size: number, start: number, end: number): [start: number, end: number] {
  const clamp = (at: number): number => Math.min(size, Math.max(0, at < 0 ? at + size : at));
  return [clamp(start), clamp(end)];
}
