import type { AttentionStrategy } from '@jit-attention/core';

import { DENSE, FAMILIES, type Family, isDense } from '../candidates/built-in.js';
import { type Candidate, seriesOf } from '../candidates/candidate.js';

/** A tenth of the context, whatever that is. */
export const TENTH = 'tenth';
export type Budget = number | typeof TENTH | undefined;

/** What serves the layers of a model: a strategy, its budget, and the layers that it serves. */
export interface Variant {
  readonly family: Family;
  readonly budget: Budget;
  /** The first two layers are dense: there attention is at its most diffuse. */
  readonly keepsFirst: boolean;
  /** Entries of a page of the cache, by which `topk:page` selects. */
  readonly pageSize: number;
}

/** Layers that {@link Variant.keepsFirst} serves; the others are dense. */
export const LATER = '2-';

/** Of an attention object, unless told. */
const PAGE = 64;
/** What Quest selects by (arXiv 2406.10774). */
const SMALL_PAGE = 16;
const LEAST_PAGES = 4;

export interface Choice {
  readonly name: string;
  readonly budgets: readonly Budget[];
  readonly keepsFirst?: boolean;
  readonly pageSize?: number;
}

const ALL: readonly Choice[] = [
  { name: 'windowed', budgets: [64, 128, TENTH, 256, 512, 1024] },
  { name: 'topk:page', budgets: [TENTH, 256, 512, 1024] },
  { name: 'topk:page', budgets: [TENTH, 256, 512, 1024], pageSize: SMALL_PAGE },
  { name: 'topk:token', budgets: [64, 128, TENTH, 256, 512, 1024] },
  { name: 'windowed', budgets: [TENTH], keepsFirst: true },
  { name: 'topk:page', budgets: [TENTH, 512], keepsFirst: true },
  { name: 'topk:token', budgets: [TENTH], keepsFirst: true },
];

/** For models that are slow to run. */
const FEW: readonly Choice[] = [
  { name: 'windowed', budgets: [TENTH, 512] },
  { name: 'topk:page', budgets: [TENTH, 512] },
  { name: 'topk:page', budgets: [TENTH, 512], pageSize: SMALL_PAGE },
  { name: 'topk:token', budgets: [TENTH] },
  { name: 'topk:page', budgets: [TENTH], keepsFirst: true },
];

const QUICK: readonly Choice[] = [
  { name: 'windowed', budgets: [TENTH] },
  { name: 'topk:page', budgets: [256] },
  { name: 'topk:token', budgets: [TENTH] },
];

export const CHOICES: Readonly<Record<'all' | 'few' | 'quick', readonly Choice[]>> = {
  all: ALL,
  few: FEW,
  quick: QUICK,
};

/** Dense first: the others are compared with it. */
export function variantsOf(choices: readonly Choice[]): Variant[] {
  const others = choices.flatMap(({ name, budgets, keepsFirst = false, pageSize = PAGE }) =>
    budgets.map((budget) => ({ family: familyOf(name), budget, keepsFirst, pageSize })),
  );
  return [{ family: DENSE, budget: undefined, keepsFirst: false, pageSize: PAGE }, ...others];
}

export function familyOf(name: string): Family {
  return FAMILIES.find((family) => family.name === name)!;
}

/** Entries that a query may read with so many tokens of context, in whole pages; undefined where there is no limit. */
export function entriesOf(
  { family, budget, pageSize }: Variant,
  tokens: number,
): number | undefined {
  if (budget !== TENTH) return budget;
  const tenth = tokens / 10;
  return Math.round(isPaged(family) ? Math.round(tenth / pageSize) * pageSize : tenth);
}

export function candidateOf(variant: Variant, tokens: number): Candidate {
  return variant.family.at(entriesOf(variant, tokens));
}

/** Undefined for dense attention. */
export function strategyOf(variant: Variant, tokens: number): AttentionStrategy | undefined {
  const candidate = candidateOf(variant, tokens);
  return isDense(candidate) ? undefined : candidate.create();
}

/**
 * Whether there is a choice: a budget of the whole context is dense attention by another name, and of few pages most
 * are always read (that of the sinks and that of the query).
 */
export function hasChoice(variant: Variant, tokens: number): boolean {
  const entries = entriesOf(variant, tokens);
  const least = isPaged(variant.family) ? LEAST_PAGES * variant.pageSize : 1;
  return entries !== undefined && entries >= least && entries < tokens;
}

const isPaged = ({ name }: Family): boolean => name === 'topk:page';

/** `topk page`, `topk page, pages of 16`, `topk page, layers 2-`: a line in a chart. */
export function nameOf(variant: Variant): string {
  return [seriesOf(candidateOf(variant, PAGE * PAGE)), ...besides(variant)].join(', ');
}

function besides({ keepsFirst, pageSize }: Variant): string[] {
  return [
    ...(pageSize === PAGE ? [] : [`pages of ${pageSize}`]),
    ...(keepsFirst ? [`layers ${LATER}`] : []),
  ];
}

/** `a tenth`, `512`, `all`. */
export function budgetText({ budget }: Variant): string {
  if (budget === undefined) return 'all';
  return budget === TENTH ? 'a tenth' : budget.toLocaleString('en');
}

/** What tells its rows from others of the same strategy: `page`, `pages of 16`, `layers 2-`. */
export function variantWords(variant: Variant): string[] {
  const { variant: word } = candidateOf(variant, PAGE * PAGE);
  return [...(word === undefined ? [] : [word]), ...besides(variant)];
}
