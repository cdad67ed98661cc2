import type { Interval } from './bound.js';
import { PlanError } from './errors.js';
import type { Tensor } from './tensor.js';

/**
 * Which entries each query may read. Visibility (causality, lengths) is applied on top: a selection may name
 * entries that a query cannot see, and it never reads them.
 */
export type Selection =
  AllSelection | RangesSelection | BlocksSelection | TokensSelection | UnitedSelection;

/** Every visible entry. */
export interface AllSelection {
  readonly kind: 'all';
}

/** A few intervals that follow from the query's position; overlaps count once. */
export interface RangesSelection {
  readonly kind: 'ranges';
  readonly ranges: readonly Interval[];
}

interface IdSelection {
  /**
   * Ascending ids, `[batch, kvHeads | 1, queryBlocks, capacity]`, i32; the head axis is 1 where one selection
   * serves all heads. Block `j` of a step serves its queries `[j * queryBlock, (j + 1) * queryBlock)`.
   */
  readonly ids: Tensor<'i32'>;
  /** How many of the ids count, `[batch, kvHeads | 1, queryBlocks]`, i32. */
  readonly counts: Tensor<'i32'>;
  /** Queries that share one list of ids. */
  readonly queryBlock: number;
}

/** Blocks of `blockSize` entries: id `i` stands for `[i * blockSize, (i + 1) * blockSize)`. */
export interface BlocksSelection extends IdSelection {
  readonly kind: 'blocks';
  readonly blockSize: number;
}

/** Single entries. */
export interface TokensSelection extends IdSelection {
  readonly kind: 'tokens';
}

/** What any of the parts selects, each entry once. Made by {@link unite}. */
export interface UnitedSelection {
  readonly kind: 'united';
  readonly of: readonly (RangesSelection | BlocksSelection | TokensSelection)[];
}

export const all: AllSelection = { kind: 'all' };

export function ranges(...intervals: Interval[]): RangesSelection {
  return { kind: 'ranges', ranges: intervals };
}

/** The union of selections; ranges melt into one, `all` swallows the rest. */
export function unite(...selections: readonly Selection[]): Selection {
  if (selections.length === 0)
    throw new PlanError('unite: expected at least one selection, got none', {
      code: 'PLAN_INVALID',
      expected: 'at least one selection',
      actual: 0,
    });
  const flat: readonly Exclude<Selection, UnitedSelection>[] = selections.flatMap(
    (one): readonly Exclude<Selection, UnitedSelection>[] =>
      one.kind === 'united' ? one.of : [one],
  );
  const intervals: Interval[] = [];
  const listed: (BlocksSelection | TokensSelection)[] = [];
  for (const selection of flat) {
    if (selection.kind === 'all') return all;
    if (selection.kind === 'ranges') intervals.push(...selection.ranges);
    else if (!listed.includes(selection)) listed.push(selection);
  }
  const parts = [...(intervals.length > 0 ? [ranges(...intervals)] : []), ...listed];
  if (parts.length === 0) return ranges();
  return parts.length === 1 ? parts[0] : { kind: 'united', of: parts };
}

/** Entries that one id stands for. */
export function blockSizeOf(selection: BlocksSelection | TokensSelection): number {
  return selection.kind === 'blocks' ? selection.blockSize : 1;
}

/** The tensors a selection holds. */
export function tensorsOf(selection: Selection): Tensor[] {
  switch (selection.kind) {
    case 'all':
    case 'ranges':
      return [];
    case 'united':
      return selection.of.flatMap(tensorsOf);
    default:
      return [selection.ids, selection.counts];
  }
}
