import type { Frame } from './frame.js';

const LOWEST = -3.4028234663852886e38;
const LOWEST_HALF = -65504;

/** `[T, N]`, true where a query may see a key by their order; `window`: only the last so many. */
export function causalOrder(frame: Frame, window?: number): string {
  const past = frame.op('Sub', [frame.size('attention_mask', 1), frame.size('input_ids', 1)]);
  const range = (from: string, to: string): string =>
    frame.op(
      'Range',
      [from, to, frame.int(1)].map((x) => frame.op('Squeeze', [x])),
    );
  const keys = range(frame.ints(0), frame.size('attention_mask', 1));
  const rows = range(past, frame.size('attention_mask', 1));
  const queries = frame.op('Unsqueeze', [rows, frame.ints(1)]);
  const earlier = frame.op('LessOrEqual', [keys, queries]);
  if (window === undefined) return earlier;
  const first = frame.op('Sub', [queries, frame.ints(window)]);
  return frame.op('And', [earlier, frame.op('Greater', [keys, first])]);
}

/** `[B, 1, T, N]`, true where a key is no padding and at most so far from a query, before or behind it. */
export function nearMask(frame: Frame, distance: number): string {
  const end = frame.op('Squeeze', [frame.size('attention_mask', 1)]);
  const places = frame.op('Range', [frame.int(0), end, frame.int(1)]);
  const apart = frame.op('Sub', [places, frame.op('Unsqueeze', [places, frame.ints(1)])]);
  const near = frame.op('LessOrEqual', [frame.op('Abs', [apart]), frame.int(distance)]);
  return frame.op('And', [near, unpadded(frame)]);
}

/** `[B, 1, 1, N]`, true where a key is no padding. */
export function unpadded(frame: Frame): string {
  const mask = frame.op('Cast', ['attention_mask'], { attributes: { to: 9 } });
  return frame.op('Unsqueeze', [mask, frame.ints(1, 2)]);
}

/** The same for every query, `[B, 1, T, N]`. */
export function unpaddedRows(frame: Frame): string {
  const sizes = [frame.ints(1, 1), frame.size('input_ids', 1), frame.ints(1)];
  const shape = frame.op('Concat', sizes, { attributes: { axis: 0 } });
  return frame.op('Expand', [unpadded(frame), shape]);
}

/** `[B, 1, T, N]`, true where a query may see a key. */
export const causalMask = (frame: Frame, window?: number): string =>
  frame.op('And', [causalOrder(frame, window), unpadded(frame)]);

/** 0 where a mask is true, the type's lowest number elsewhere. */
export function additive(frame: Frame, mask: string): string {
  return frame.op('Where', [mask, frame.float(0), lowest(frame)]);
}

/** `(1 - mask) * lowest`, as encoders have it. */
export function additivePadding(frame: Frame): string {
  const mask = frame.op('Unsqueeze', ['attention_mask', frame.ints(1, 2)]);
  const to = frame.weights.type === 'f16' ? 10 : 1;
  const seen = frame.op('Cast', [mask], { attributes: { to } });
  return frame.op('Mul', [frame.op('Sub', [frame.float(1), seen]), lowest(frame)]);
}

/** `[B]`, i64: keys that are no padding. */
export function keyLengths(frame: Frame): string {
  const attributes = { keepdims: 0 };
  return frame.op('ReduceSum', ['attention_mask', frame.ints(1)], { attributes });
}

export const int32 = (frame: Frame, x: string): string =>
  frame.op('Cast', [x], { attributes: { to: 6 } });

/** What hides a logit. */
export function lowest(frame: Frame): string {
  return frame.float(frame.weights.type === 'f16' ? LOWEST_HALF : LOWEST);
}
