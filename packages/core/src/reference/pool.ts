import type { PoolPart, PoolRequest } from '../backend.js';
import { headsOf, widthOf } from '../entries.js';
import { floatsOf, rowOffsets } from './storage.js';

/** One row of a group: its channels, and for `softmax` their logits; undefined where it lies outside. */
interface Member {
  readonly values: Float64Array;
  readonly logits: Float64Array | undefined;
}

/** `[B, heads, count, W]`, or `W · rows` for `concat`. */
export function pool(request: PoolRequest): { shape: number[]; values: Float64Array } {
  const { kind, parts, first, count } = request;
  const heads = headsOf(parts[0].values);
  const width = channelsOf(parts[0]).length;
  const rows = parts.reduce((sum, part) => sum + part.length, 0);
  const outWidth = kind === 'concat' ? width * rows : width;
  const values = new Float64Array(first.length * heads * count * outWidth);
  for (let row = 0; row < first.length; row++) {
    for (let head = 0; head < heads; head++) {
      for (let i = 0; i < count; i++) {
        const start = ((row * heads + head) * count + i) * outWidth;
        const out = values.subarray(start, start + outWidth);
        reduce(kind, membersOf(request, row, head, first[row] + i), out, width);
      }
    }
  }
  return { shape: [first.length, heads, count, outWidth], values };
}

function channelsOf({ values, channels }: PoolPart): { start: number; length: number } {
  const [start, end] = channels ?? [0, widthOf(values)];
  return { start, length: end - start };
}

function membersOf(
  request: PoolRequest,
  row: number,
  head: number,
  group: number,
): (Member | undefined)[] {
  return request.parts.flatMap((part) => {
    const { start, length } = channelsOf(part);
    const valueAt = rowOffsets(part.values, row, head);
    const logitAt = part.logits && rowOffsets(part.logits, row, head);
    return Array.from({ length: part.length }, (_, i): Member | undefined => {
      const n = request.stride * group + part.start + i;
      if (n < 0 || n >= part.values.lengths[row]) return undefined;
      const cut = (data: Float64Array, at: number): Float64Array =>
        data.subarray(at + start, at + start + length);
      return {
        values: cut(floatsOf(part.values.storage), valueAt(n)),
        logits: logitAt && cut(floatsOf(part.logits.storage), logitAt(n)),
      };
    });
  });
}

function reduce(
  kind: PoolRequest['kind'],
  members: (Member | undefined)[],
  out: Float64Array,
  width: number,
): void {
  if (kind === 'concat') {
    members.forEach((member, i) => member && out.set(member.values, i * width));
    return;
  }
  const present = members.filter((member) => member !== undefined);
  if (present.length === 0) return;
  for (let d = 0; d < width; d++) {
    const channel = present.map((member) => member.values[d]);
    if (kind === 'mean') out[d] = channel.reduce((sum, value) => sum + value, 0) / channel.length;
    else if (kind === 'softmax')
      out[d] = weighted(
        channel,
        present.map((member) => member.logits![d]),
      );
    else out[d] = kind === 'min' ? Math.min(...channel) : Math.max(...channel);
  }
}

function weighted(values: readonly number[], logits: readonly number[]): number {
  const largest = Math.max(...logits);
  if (largest === -Infinity) return 0;
  const weights = logits.map((logit) => Math.exp(logit - largest));
  const sum = weights.reduce((total, weight) => total + weight, 0);
  return weights.reduce((total, weight, i) => total + (weight / sum) * values[i], 0);
}
