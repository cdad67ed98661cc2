import { type AttendRequest, headsOf } from '@jit-attention/core';

import type { Gpu } from '../gpu.js';
import { type Parts, roomOf, spanOf } from './lists.js';
import { isSoftware, type Tiling, tilingFor } from './tiling.js';

/** How the rows and entries of a call lie over workgroups. */
export interface Work {
  readonly tiling: Tiling;
  /** Queries that have their lists in common, spans of them, and blocks of rows in each. */
  readonly span: number;
  readonly spans: number;
  readonly blocks: number;
  /** Workgroups that share the entries of a block of rows. */
  readonly shares: number;
  /** Workgroups. */
  readonly groups: number;
}

/** @param windows of the entries, each of which has slices of its own */
export function workOf(gpu: Gpu, request: AttendRequest, parts: Parts, windows: number): Work {
  const { query, keys, valueDim } = request;
  const [batch, heads, tokens] = query.shape;
  const span = spanOf(parts, tokens);
  const rows = (span * heads) / headsOf(keys);
  const tiling = tilingFor(gpu, rows, valueDim);
  const spans = Math.ceil(tokens / span);
  const blocks = Math.ceil(rows / (tiling.rows * tiling.teams));
  const all = batch * headsOf(keys) * spans * blocks;
  const most = sharesOf(gpu, all, longest(request, parts));
  const shares = Math.max(1, Math.min(most, Math.floor(slicesThatFit(gpu, request) / windows)));
  return { tiling, span, spans, blocks, shares, groups: all * shares };
}

/** Entries of a share, at least: below, joining costs more than it gains. */
const ENTRIES_OF_SHARE = 256;

/** A decoder step has a block of rows for each kv head: too few to keep a device busy, unless their entries are shared. */
function sharesOf(gpu: Gpu, blocks: number, entries: number): number {
  const busy = isSoftware(gpu) ? 8 : 2048;
  return Math.max(1, Math.min(Math.ceil(busy / blocks), Math.floor(entries / ENTRIES_OF_SHARE)));
}

/** Slices of the results that a kernel can bind together. */
export function slicesThatFit({ limits }: Gpu, { query, valueDim }: AttendRequest): number {
  const [batch, heads, tokens] = query.shape;
  // Of statistics there are two a row at most.
  const slice = 4 * batch * heads * tokens * Math.max(valueDim, 2);
  return Math.floor(limits.maxStorageBufferBindingSize / slice);
}

/** The most entries that a query may read, as far as the shapes tell. */
function longest({ keys }: AttendRequest, { all, intervals, lists }: Parts): number {
  const length = Math.max(0, ...keys.lengths);
  if (all || intervals.length > 0) return length;
  return Math.min(
    length,
    lists.map(roomOf).reduce((sum, room) => sum + room, 0),
  );
}
