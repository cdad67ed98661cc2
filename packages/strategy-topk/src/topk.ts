import type { AttentionStrategy } from '@jit-attention/core';

import { resolve, type TopkOptions } from './options.js';
import { pages } from './pages.js';
import { tokens } from './tokens.js';

/**
 * Top-k attention: every query reads the `budget` entries that score highest for it.
 *
 * - `granularity: 'page'` (default): whole pages of `pageSize` entries, ranked by an upper bound of every `q · k`
 *   in them, as in Quest (arXiv 2406.10774). Scoring reads two rows a page.
 * - `granularity: 'token'`: single entries, ranked by their true scores. Scoring reads every key, so this saves
 *   nothing: it is the oracle that the other strategies are measured against.
 *
 * A selection is shared by the query heads of a kv head, and by `queryBlock` queries in turn; ties go to the
 * lower index. A context of at most `budget` entries is read whole, which is dense attention.
 *
 * @throws {InputError} `INVALID_OPTION` for unknown options and values out of range; `BUDGET_TOO_SMALL` when sinks
 *   and recent entries do not fit into the budget (with pages: from `createAttention`, which knows the page size)
 */
export function topk(options: TopkOptions): AttentionStrategy {
  const resolved = resolve(options);
  const build = resolved.granularity === 'token' ? tokens : pages;
  return { ...build(resolved), options: { ...options } };
}
