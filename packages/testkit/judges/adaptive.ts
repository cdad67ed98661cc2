import {
  type AttentionStrategy,
  type AuditOptions,
  type AuditReport,
  defineStrategy,
} from '@jit-attention/core';

import { past } from './past.js';

export interface AdaptiveOptions extends Pick<AuditOptions, 'sample' | 'seed'> {
  /** The budget to begin with, and its limits. */
  start: number;
  min: number;
  max: number;
  /** Recall that 95 % of the audited queries and heads should reach. */
  target: number;
  /** Steps after which an audit counts. */
  delay: number;
}

/**
 * A budget that follows what audits find: a miss doubles it, a hit takes one entry off. `base` gives the strategy
 * at a budget; its index must not depend on it.
 */
export function adaptive(
  base: (budget: number) => AttentionStrategy,
  options: AdaptiveOptions,
): AttentionStrategy {
  const { start, min, max, target, ...audit } = options;
  const first = base(start);
  const next = (budget: number, { recall }: AuditReport): number =>
    recall.p5 < target ? Math.min(max, 2 * budget) : Math.max(min, budget - 1);
  return defineStrategy({
    ...first,
    name: `adaptive(${first.name})`,
    options: { ...options },
    audit,
    index: (site) => ({ ...first.index?.(site), budget: past(site, start) }),
    plan(step) {
      const { budget } = step.index;
      budget.record(step.positions, step.feedback.reduce(next, budget.value));
      return base(budget.value).plan(step);
    },
    dead: () => [], // Audits look at everything.
  });
}
