import type { AttentionStrategy } from '@jit-attention/core';
import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';

import { type Candidate, seriesOf } from './candidate.js';

/** A strategy that the benchmark knows by name, at any budget. */
export interface Family {
  /** What `--strategy` calls it: a strategy's name, or `name:variant`. */
  readonly name: string;
  /** Budgets for a context of this many tokens, unless the user gives some; absent: it has no budget. */
  readonly budgets?: (tokens: number) => number[];
  at(budget: number | undefined): Candidate;
}

const SINKS = 4;
const PAGE = 64;
/** Queries that share a selection of pages, so that a prefill stays matrix products. */
export const SHARING = 64;

export const DENSE: Family = family({ factory: 'dense', make: dense, options: () => undefined });

/** Whether it is the attention that others are compared with. */
export function isDense(candidate: Candidate): boolean {
  return seriesOf(candidate) === DENSE.name;
}

/** A new strategy package gets its line here. */
export const FAMILIES: readonly Family[] = [
  DENSE,
  family({
    factory: 'windowed',
    make: windowed,
    options: (budget) => ({ window: budget - SINKS, sinks: SINKS }),
    shares: [1 / 16, 1 / 8, 1 / 4, 1 / 2],
  }),
  family({
    factory: 'topk',
    variant: 'page',
    make: topk,
    options: (budget) => ({ budget, granularity: 'page' }) as const,
    shares: [1 / 16, 1 / 8, 1 / 4, 1 / 2],
  }),
  family({
    factory: 'topk',
    variant: 'page-shared',
    make: topk,
    options: (budget) => ({ budget, granularity: 'page', queryBlock: SHARING }) as const,
    shares: [1 / 16, 1 / 8, 1 / 4, 1 / 2, 3 / 4],
    // Sinks, and a block of queries that may lie across two pages.
    leastPages: 3,
  }),
  family({
    factory: 'topk',
    variant: 'token',
    make: topk,
    options: (budget) => ({ budget, granularity: 'token' }) as const,
    shares: [1 / 32, 1 / 16, 1 / 8],
  }),
];

interface Description<O> {
  /** The factory's name, which is the strategy's, and its package's after `strategy-`. */
  readonly factory: string;
  readonly variant?: string;
  readonly make: (options: O) => AttentionStrategy;
  readonly options: (budget: number) => O;
  /** Default budgets as shares of the context; absent: the strategy has no budget. */
  readonly shares?: readonly number[];
  /** Below what is always read (sinks, the current page) there is no choice. Default 2. */
  readonly leastPages?: number;
}

function family<O>(description: Description<O>): Family {
  const { factory, variant, make, options, shares, leastPages = 2 } = description;
  return {
    name: variant === undefined ? factory : `${factory}:${variant}`,
    ...(shares && { budgets: (tokens) => wholePages(shares, tokens, leastPages) }),
    at(budget) {
      const chosen = options(budget ?? 0);
      return {
        strategy: factory,
        variant,
        budget: shares && budget,
        create: () => make(chosen),
        code: {
          imports: { name: factory, from: `@jit-attention/strategy-${factory}` },
          expression: `${factory}(${literal(chosen)})`,
        },
      };
    },
  };
}

function wholePages(shares: readonly number[], tokens: number, least: number): number[] {
  const pages = shares.map((share) => Math.max(least, Math.round((share * tokens) / PAGE)));
  const budgets = pages.map((count) => count * PAGE);
  return [...new Set(budgets)];
}

/** Options as TypeScript: `{ budget: 512, granularity: 'page' }`. */
function literal(options: unknown): string {
  if (options === undefined) return '';
  const fields = Object.entries(options as Record<string, number | string>).map(
    ([name, value]) => `${name}: ${typeof value === 'string' ? `'${value}'` : value}`,
  );
  return `{ ${fields.join(', ')} }`;
}
