import type { AttentionStrategy } from '@jit-attention/core';
import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';

import type { Candidate } from './candidate.js';

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

export const DENSE: Family = family({ factory: 'dense', make: dense, options: () => undefined });

/** A new strategy package gets its line here. */
export const FAMILIES: readonly Family[] = [
  DENSE,
  family({
    factory: 'windowed',
    make: windowed,
    options: (budget) => ({ window: budget - SINKS, sinks: SINKS }),
    shares: [1 / 16, 1 / 8, 1 / 4],
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
}

function family<O>({ factory, variant, make, options, shares }: Description<O>): Family {
  return {
    name: variant === undefined ? factory : `${factory}:${variant}`,
    ...(shares && { budgets: (tokens) => wholePages(shares, tokens) }),
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

/** At least two pages: what is always read (sinks, the current page) leaves no choice below that. */
function wholePages(shares: readonly number[], tokens: number): number[] {
  const budgets = shares.map((share) => Math.max(2, Math.round((share * tokens) / PAGE)) * PAGE);
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
