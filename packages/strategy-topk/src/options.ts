import { assertKnown, assertOneOf, assertWhole, inputError } from '@jit-attention/core';

/** Options of {@link topk}. */
export interface TopkOptions {
  /**
   * Entries a query may read, sinks, recent ones and the current page included; at least 1. With pages it rounds
   * up to whole ones.
   */
  readonly budget: number;
  /** What is scored and read: single entries (`'token'`), or pages of `pageSize` (default). */
  readonly granularity?: 'token' | 'page' | undefined;
  /** First entries of the sequence that are always read, in whole pages with pages. Default 4. */
  readonly sinks?: number | undefined;
  /**
   * Most recent entries that are always read, the query's own included; not causal: to both sides. Default 0:
   * none, but causal page selection always reads the query's page.
   */
  readonly recent?: number | undefined;
  /**
   * Queries that share one selection, so that a prefill stays matrix products. Their budget is one budget, and
   * what is recent for any of them is read. Default 1.
   */
  readonly queryBlock?: number | undefined;
  /**
   * With `granularity: 'token'`, what the queries that share a selection rank an entry by: the sum of their
   * softmax probabilities (`'probability'`, default: the best mean recall that a budget can have), or the largest
   * of their scaled logits (`'logit'`: no query's favourite is outvoted, and no softmax is needed).
   */
  readonly rankBy?: 'probability' | 'logit' | undefined;
}

export type Resolved = { readonly [K in keyof TopkOptions]-?: NonNullable<TopkOptions[K]> };

const NAMES = ['budget', 'granularity', 'sinks', 'recent', 'queryBlock', 'rankBy'];

/** @throws {InputError} `INVALID_OPTION` */
export function resolve(options: TopkOptions): Resolved {
  assertKnown('topk', options, NAMES);
  const { budget, granularity = 'page', sinks = 4, recent = 0, queryBlock = 1 } = options;
  const { rankBy = 'probability' } = options;
  assertWhole('topk', 'budget', budget, { min: 1 });
  assertOneOf('topk', 'granularity', granularity, ['token', 'page']);
  assertWhole('topk', 'sinks', sinks, { min: 0 });
  assertWhole('topk', 'recent', recent, { min: 0 });
  assertWhole('topk', 'queryBlock', queryBlock, { min: 1 });
  assertOneOf('topk', 'rankBy', rankBy, ['probability', 'logit']);
  if (options.rankBy !== undefined && granularity === 'page')
    throw inputError('topk', "rankBy with granularity 'token' only: pages rank by bounds", rankBy);
  return { budget, granularity, sinks, recent, queryBlock, rankBy };
}

/**
 * Refuses a budget that what is always read does not fit into, wherever the queries stand.
 *
 * @param unit entries that are picked at a time: 1, or a page
 * @throws {InputError} `BUDGET_TOO_SMALL`
 */
export function assertBudget({ budget, sinks, recent, queryBlock }: Resolved, unit: number): void {
  const picked = Math.ceil(budget / unit);
  const forced =
    Math.ceil(sinks / unit) + spanned(recent === 0 ? 0 : recent + queryBlock - 1, unit);
  if (forced <= picked) return;
  const what = unit === 1 ? 'entries' : `pages of ${unit}`;
  const why = `sinks (${sinks}) and recent (${recent}) force ${forced} ${what}`;
  throw inputError(
    'topk',
    `a budget of at least ${least(forced, unit)} entries, as ${why}`,
    budget,
    {
      code: 'BUDGET_TOO_SMALL',
      hint: 'raise the budget, or lower sinks, recent or queryBlock',
    },
  );
}

/** The smallest budget that rounds up to so many units. */
const least = (units: number, unit: number): number => (units - 1) * unit + 1;

/** Units that a run of entries touches at most: it may start at the last entry of one. */
function spanned(entries: number, unit: number): number {
  return entries === 0 ? 0 : Math.ceil((entries - 1) / unit) + 1;
}
