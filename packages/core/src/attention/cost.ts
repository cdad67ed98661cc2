import type { Bound } from '../bound.js';
import type { AttendRequest, SelectRequest } from '../backend.js';
import { rowBytes } from '../dtype.js';
import { type Entries, headsOf, widthOf } from '../entries.js';
import { type Positions, visibleAt } from '../positions.js';
import { scoredEntries } from '../select.js';
import { blockSizeOf } from '../selection.js';

export interface Cost {
  flops: number;
  bytes: number;
}

/**
 * What scoring costs, from the shapes alone: two flops a channel, head and scored entry; every scored entry is
 * read once for the queries that share a selection.
 */
export function selectCost(request: SelectRequest): Cost {
  const { score, positions, queryBlock = 1 } = request;
  const keys = scoredEntries(score);
  const width = widthOf(keys);
  const perEntry =
    rowBytes(keys.storage.dtype, width) * headsOf(keys) * (score.kind === 'bounds' ? 2 : 1);
  const rows = score.query.shape[1] / (score.kind === 'antidiagonal' ? score.stride : 1);
  const cost = { flops: 0, bytes: 0 };
  positions.first.forEach((first, row) => {
    const count = positions.counts[row];
    for (let t = 0; t < count; t++) {
      const entries = scoredAt(request, row, first + t);
      cost.flops += 2 * width * rows * entries;
      if ((t + 1) % queryBlock === 0 || t === count - 1) cost.bytes += perEntry * entries;
    }
  });
  return cost;
}

function scoredAt(request: SelectRequest, row: number, position: number): number {
  const { score, over, block = 1, within, visible } = request;
  const length = scoredEntries(score).lengths[row];
  if (score.kind === 'bounds') {
    return Math.min(length, Math.ceil(visibleAt(visible, position, over.lengths[row]) / block));
  }
  const own = score.kind === 'softmax' ? score.visible : undefined;
  const seen = visibleAt(own ?? visible, position, length);
  const candidates = within ? within.ids.shape[3] * blockSizeOf(within) : Infinity;
  return Math.min(seen, candidates);
}

/** What reading one entry of a branch costs, for the query heads that share it. */
export function entryCost(request: AttendRequest): {
  flopsPerEntry: number;
  bytesPerEntry: number;
} {
  const { keys, values, query, valueDim } = request;
  const keyWidth = widthOf(keys);
  const group = query.shape[1] / keys.storage.shape[1];
  const valueBytes = values === 'keys' ? 0 : rowBytes(values.storage.dtype, valueDim);
  return {
    flopsPerEntry: 2 * (keyWidth + valueDim) * group,
    bytesPerEntry: rowBytes(keys.storage.dtype, keyWidth) + valueBytes,
  };
}

/** Entries that the queries of a chunk see, one head's. */
export function countVisible(
  { keys, visible }: { keys: Entries; visible: Bound | undefined },
  positions: Positions,
): number {
  let sum = 0;
  positions.first.forEach((first, row) => {
    for (let t = 0; t < positions.counts[row]; t++)
      sum += visibleAt(visible, first + t, keys.lengths[row]);
  });
  return sum;
}
