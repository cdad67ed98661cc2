import { assertKnown, assertWhole } from './check.js';
import { assertStrategy } from './check-strategy.js';
import { inputError } from './errors.js';
import type { Summary } from './statistics.js';
import type { AttentionStrategy } from './strategy.js';

export interface AuditOptions {
  /** Share of the queries that are compared with the full softmax, 0 to 1. Default 1/64. */
  readonly sample?: number | undefined;
  /** Which queries: a query is in by a hash of seed, batch row and position, however calls are cut. Default 0. */
  readonly seed?: number | undefined;
  /** `onMiss` is called for a step whose lowest recall is below this. Default 0: never. */
  readonly minRecall?: number | undefined;
  readonly onMiss?: ((report: AuditReport) => void) | undefined;
  /** Called for every audited step of a call that succeeded, before `onMiss`. */
  readonly onReport?: ((report: AuditReport) => void) | undefined;
  /**
   * For strategies that read `step.feedback`: the steps after which a report arrives, awaited if it is late, so
   * that runs repeat exactly. Default: reports are not fed back.
   */
  readonly delay?: number | undefined;
}

/** What a sample of one step's queries missed. */
export interface AuditReport {
  /** Chunks of queries that the sequence had planned before this one. */
  readonly step: number;
  /** The queries compared. */
  readonly queries: readonly { readonly row: number; readonly position: number }[];
  /** Share of the true softmax's mass that was read, over queries and heads. */
  readonly recall: Summary;
  /** All of it: `[queries][heads]`. */
  readonly recalls: readonly (readonly number[])[];
  /** `‖o - o_full‖ / ‖o_full‖` over the sample. */
  readonly outputError: number;
  /** The two squared norms behind `outputError`, to add up over steps. */
  readonly squares: { readonly difference: number; readonly full: number };
}

const OPTIONS: readonly (keyof AuditOptions)[] = [
  'sample',
  'seed',
  'minRecall',
  'onMiss',
  'onReport',
  'delay',
];

/**
 * The alarm cord: on a sample of queries the full softmax is computed as well, `stats()` then has `recall` (the
 * attention mass that the strategy captured) and `outputError`, and a miss calls `onMiss`.
 *
 * A step whose plan has no full softmax over the cache to be compared with is not audited: one with gates, with
 * entries from elsewhere, with queries or a scale of a branch's own, or with several bounds of what is visible. When
 * no step of a call is audited, `stats()` has no `recall` and no `outputError`. The listeners hear of a call once it
 * has succeeded; of one that fails or is aborted, never.
 *
 * An audit needs the whole cache, so a strategy that lets old pages go keeps them while it is audited.
 *
 * @throws {InputError} `UNSUPPORTED` for a strategy that is not `exact`: with compressed entries there is no full
 *   softmax to compare with; `INVALID_OPTION` for what is no strategy, and for wrong options
 */
export function audit(strategy: AttentionStrategy, options: AuditOptions = {}): AttentionStrategy {
  assertStrategy('audit', strategy);
  assertKnown('audit', options, OPTIONS);
  if (!strategy.supports.exact) {
    throw inputError('audit', 'a strategy that supports.exact', strategy.name, {
      code: 'UNSUPPORTED',
      hint: 'compressed entries have no full softmax to be compared with',
    });
  }
  // A strategy that listens to audits of its own keeps its delay.
  const own: AuditOptions = { ...strategy.audit, ...options };
  const { sample = 1 / 64, minRecall = 0 } = own;
  assertOptions({ ...own, sample, minRecall });
  const { name, apiVersion, supports, requires } = strategy;
  return {
    name,
    apiVersion,
    supports,
    options: strategy.options,
    requires,
    audit: { ...own, sample, minRecall },
    validate: (layer) => strategy.validate?.(layer),
    index: (site) => strategy.index?.(site) ?? {},
    plan: (step) => strategy.plan(step),
    dead: () => [],
  };
}

function assertOptions({ sample, minRecall, seed = 0, delay = 1, ...rest }: AuditOptions): void {
  for (const [name, share] of Object.entries({ sample, minRecall })) {
    if (!(typeof share === 'number' && share >= 0 && share <= 1))
      throw inputError('audit', `${name} between 0 and 1`, share);
  }
  if (!Number.isInteger(seed)) throw inputError('audit', 'seed to be a whole number', seed);
  assertWhole('audit', 'delay', delay, { min: 1 });
  const { onMiss, onReport } = rest;
  for (const [name, listener] of Object.entries({ onMiss, onReport })) {
    if (listener !== undefined && typeof listener !== 'function')
      throw inputError('audit', `${name} to be a function`, listener);
  }
}

/** Whether a query is in the sample: a 32-bit mix (murmur3's finaliser) of seed, row and position. */
export function isSampled(options: AuditOptions, row: number, position: number): boolean {
  let hash = Math.imul((options.seed ?? 0) ^ 0x9e3779b9, 0x85ebca6b);
  for (const part of [row, position]) {
    hash = Math.imul(hash ^ part, 0xcc9e2d51);
    hash ^= hash >>> 16;
    hash = Math.imul(hash, 0x85ebca6b);
    hash ^= hash >>> 13;
    hash = Math.imul(hash, 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return (hash >>> 0) / 2 ** 32 < (options.sample ?? 1 / 64);
}
