import {
  assertEntryHeld,
  assertOneOf,
  assertRange,
  type Entries,
  headsOf,
  inputError,
  type PoolPart,
  type PoolRequest,
  type Tensor,
  widthOf,
} from '@jit-attention/core';

import { encodeEntries } from '../descriptors.js';
import type { Host } from '../host.js';
import { shares } from './shares.js';

/** The kernel's numbers for kinds are their places here. */
const KINDS = ['mean', 'min', 'max', 'softmax', 'concat'] as const;

/** See `PoolRequest`. */
export function pool(host: Host, request: PoolRequest): Tensor<'f32'> {
  const { kind, parts, stride, first, count } = request;
  check(request);
  const heads = headsOf(parts[0].values);
  const [start, end] = channelsOf(parts[0]);
  const width = end - start;
  const rows = parts.reduce((sum, part) => sum + part.length, 0);
  const outWidth = kind === 'concat' ? width * rows : width;
  const output = host.make([first.length, heads, count, outWidth], 'f32');
  const [share, tasks] = shares(host, count, 4 * width * rows);
  const desc = host.arena.i32([
    ...[0, tasks * first.length * heads, share, KINDS.indexOf(kind), width, outWidth],
    ...[parts.length, host.arena.i32(parts.flatMap((part) => words(host, part)))],
    ...[stride, host.arena.i32(first), count, host.pointerOf(output)],
  ]);
  host.run('poolGroups', desc, 5 * 4 * (width + 4));
  return output;
}

function words(host: Host, { values, logits, start, length, channels }: PoolPart): number[] {
  const encode = (entries: Entries): number =>
    encodeEntries(host.arena, (tensor) => host.pointerOf(tensor), entries);
  return [encode(values), logits ? encode(logits) : 0, start, length, channels?.[0] ?? 0];
}

const channelsOf = ({ values, channels }: PoolPart): readonly [number, number] =>
  channels ?? [0, widthOf(values)];

function check(request: PoolRequest): void {
  const { kind, parts, first, count } = request;
  assertOneOf('pool', 'kind', kind, KINDS);
  if (parts.length === 0) throw inputError('pool', 'at least one part', 'none');
  if (!(Number.isInteger(count) && count >= 0)) throw inputError('pool', 'a count from 0', count);
  const width = channelsOf(parts[0])[1] - channelsOf(parts[0])[0];
  for (const part of parts) {
    const [start, end] = channelsOf(part);
    assertRange('pool: channels', [start, end], widthOf(part.values));
    if (end - start !== width)
      throw inputError('pool', `${width} channels in each part`, end - start);
    if (kind === 'softmax' && !part.logits)
      throw inputError('pool', 'logits in each part', 'none', { code: 'MISSING_INPUT' });
    for (const entries of part.logits ? [part.values, part.logits] : [part.values]) {
      if (entries.tables.length !== first.length)
        throw inputError('pool', `${first.length} batch rows`, entries.tables.length);
      if (headsOf(entries) !== headsOf(parts[0].values))
        throw inputError('pool', 'equally many heads in each part', headsOf(entries));
      assertHeld(request, part, entries);
    }
    if (part.logits) assertRange('pool: channels', [start, end], widthOf(part.logits));
  }
}

/** @throws {CacheError} `ENTRY_FREED` when a group has a row whose page was freed */
function assertHeld({ stride, first, count }: PoolRequest, part: PoolPart, entries: Entries): void {
  entries.tables.forEach((table, row) => {
    if (!table.some((page) => page < 0)) return;
    for (let group = first[row]; group < first[row] + count; group++) {
      const start = Math.max(0, stride * group + part.start);
      const end = Math.min(part.length + stride * group + part.start, part.values.lengths[row]);
      for (let n = start; n < end; n++) assertEntryHeld(table, entries.pageSize, n);
    }
  });
}
