import {
  type AttendRequest,
  type AttendResult,
  headsOf,
  type Selection,
} from '@jit-attention/core';

import { encodeBound, encodeEntries, encodePositions, encodeSelection } from './descriptors.js';
import type { Host } from './host.js';
import { asFloats } from './ops/convert.js';

/** Rows (queries times heads that share a kv head) of a task: enough that packing a tile of keys costs little. */
const ROWS = 128;
/** With wide heads, as few as keep a task's queries and output in the second-level cache. */
const WIDE = 256;
const ROWS_WIDE = 64;
/** Entries of a split: below, a thread is not worth waking. */
const ENTRIES_OF_SPLIT = 1024;

/** Attention over one branch; see assembly/attend/descriptor.ts. */
export function attend(host: Host, request: AttendRequest): AttendResult {
  const {
    query,
    keys,
    values,
    valueDim,
    selection,
    visible,
    positions,
    scale,
    softcap = 0,
  } = request;
  const { arena } = host;
  const pointerOf = host.pointerOf.bind(host);
  const [batch, heads, tokens, headDim] = query.shape;
  const kvHeads = headsOf(keys);

  const output = host.make([batch, heads, tokens, valueDim], 'f32');
  const logSumExp = host.make([batch, heads, tokens], 'f32');
  const counts = host.make([batch, kvHeads, tokens], 'i32');
  const queryBlock = Math.min(
    tokens,
    queriesOfTask(selection, heads / kvHeads, Math.max(headDim, valueDim)),
  );
  const blocks = Math.ceil(tokens / queryBlock);
  const lanes = batch * kvHeads;
  const splits = splitsOf(host.threads, lanes * blocks, longest(request));

  const desc = arena.i32([
    0,
    lanes * blocks * splits,
    asFloats(host, query),
    heads,
    tokens,
    headDim,
    encodeEntries(arena, pointerOf, keys),
    values === 'keys' ? 0 : encodeEntries(arena, pointerOf, values),
    valueDim,
    encodeSelection(arena, pointerOf, selection),
    encodeBound(arena, visible),
    encodePositions(arena, positions),
    ...floatWords(scale, softcap),
    pointerOf(output),
    pointerOf(logSumExp),
    pointerOf(counts),
    queryBlock,
    blocks,
    splits,
    0,
  ]);
  const scratch = host.call('attendScratch', desc);
  if (splits === 1) {
    host.run('attend', desc, scratch);
  } else {
    const partial = host.memory.allocate(lanes * blocks * splits * host.call('partialBytes', desc));
    try {
      host.memory.i32(desc, PARTIAL + 1)[PARTIAL] = partial;
      host.run('attend', desc, scratch);
      host.memory.i32(desc, 2)[1] = lanes * blocks;
      host.run('attendJoin', desc, scratch);
    } finally {
      host.memory.free(partial);
    }
  }
  return { output, logSumExp, counts };
}

/** Word of the descriptor that points to the partial results of splits. */
const PARTIAL = 20;

/**
 * Queries that a task works on together. They share a tile of keys, so they have to select the same entries, up to
 * what positions hide: queries of one block of a list, or of one kind of range.
 */
function queriesOfTask(selection: Selection, group: number, width: number): number {
  const most = Math.max(1, Math.floor((width > WIDE ? ROWS_WIDE : ROWS) / group));
  const parts = selection.kind === 'united' ? selection.of : [selection];
  const shared = parts.map((part) => ('queryBlock' in part ? part.queryBlock : 0));
  if (shared.every((block) => block === 0)) return most;
  if (shared.includes(0)) return 1;
  return largestDivisor(shared.reduce(gcd), most);
}

function gcd(a: number, b: number): number {
  return b === 0 ? a : gcd(b, a % b);
}

function largestDivisor(of: number, atMost: number): number {
  let divisor = Math.min(of, atMost);
  while (of % divisor !== 0) divisor--;
  return divisor;
}

/** Shares of the entries of a block, where there are too few blocks for the threads. */
function splitsOf(threads: number, tasks: number, entries: number): number {
  if (threads === 1 || tasks >= 2 * threads) return 1;
  return Math.max(
    1,
    Math.min(Math.ceil((4 * threads) / tasks), Math.floor(entries / ENTRIES_OF_SPLIT)),
  );
}

/** The most entries that a query may read, as far as the shapes tell. */
function longest({ selection, keys }: AttendRequest): number {
  const length = Math.max(...keys.lengths);
  const parts = selection.kind === 'united' ? selection.of : [selection];
  const sizes = parts.map((part) => {
    if (part.kind === 'all' || part.kind === 'ranges') return length;
    return part.ids.shape[3] * (part.kind === 'blocks' ? part.blockSize : 1);
  });
  return Math.min(length, Math.max(...sizes));
}

/** Floats as the words of a descriptor. */
function floatWords(...values: number[]): Int32Array {
  return new Int32Array(Float32Array.from(values).buffer);
}
