import type { Entries, Pick, SelectRequest, Tensor, TokensSelection } from '@jit-attention/core';

import type { Host } from '../host.js';
import { listsOf } from './lists.js';
import { jobOf, runWaves, type Scoring } from './run.js';

/**
 * Picks from scores `[B, heads, T, N]` that are there already: what `select` does once it has scored. A list for each
 * row of them, every entry a candidate.
 */
export function pickScores(host: Host, scores: Tensor<'f32'>, pick: Pick): TokensSelection {
  const request = requestOf(scores, pick);
  const lists = listsOf(request);
  const shape = scores.shape.slice(0, 3);
  const ids = host.make([...shape, lists.capacity], 'i32');
  const counts = host.make(shape, 'i32');
  runWaves(jobOf(host, request, lists, { ids, counts }), copied(scores));
  return { kind: 'tokens', ids, counts, queryBlock: 1 };
}

/** Entries that nobody reads, for their number. */
function requestOf(scores: Tensor, pick: Pick): SelectRequest {
  const [batch, , tokens, units] = scores.shape;
  const each = (value: number): number[] => new Array<number>(batch).fill(value);
  const over: Entries = { storage: scores, pageSize: 1, tables: [], lengths: each(units) };
  return {
    score: { kind: 'dot', query: scores, keys: over, scale: 1 },
    over,
    pick,
    positions: { first: each(0), counts: each(tokens), tokens },
  };
}

/** Slots are longer than rows where those are no whole number of vectors. */
function copied(scores: Tensor): Scoring {
  const units = scores.shape[3];
  return ({ host, waves, scores: slots }, { first, count }) => {
    const from = host.memory.f32(host.pointerOf(scores), scores.size);
    const to = host.memory.f32(slots, count * waves.slotUnits);
    for (let i = 0; i < count; i++) {
      to.set(from.subarray((first + i) * units, (first + i + 1) * units), i * waves.slotUnits);
    }
  };
}
