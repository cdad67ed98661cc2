import type { BlocksSelection, SelectRequest, TokensSelection } from '@jit-attention/core';

import type { Host } from './host.js';
import { assertHeld } from './select/held.js';
import { listsOf } from './select/lists.js';
import { jobOf, runWaves, scoreUnits } from './select/run.js';

/**
 * Scores and picks, without ever holding what all queries score: a wave of lists is scored, then picked from; see
 * assembly/select/score.ts.
 *
 * @throws {CacheError} `ENTRY_FREED` when an entry that would be scored has been let go
 */
export function select(host: Host, request: SelectRequest): BlocksSelection | TokensSelection {
  assertHeld(host, request);
  const { queryBlock = 1, block = 1 } = request;
  const lists = listsOf(request);
  const shape = [lists.batch, lists.heads, lists.queryBlocks];
  const ids = host.make([...shape, lists.capacity], 'i32');
  const counts = host.make(shape, 'i32');
  runWaves(jobOf(host, request, lists, { ids, counts }), scoreUnits);
  const listed = { ids, counts, queryBlock };
  return block === 1
    ? { kind: 'tokens', ...listed }
    : { kind: 'blocks', blockSize: block, ...listed };
}
