import { intervalsAt, mergeSpans, type Span } from './bound.js';
import {
  blockSizeOf,
  type BlocksSelection,
  type Selection,
  type TokensSelection,
} from './selection.js';
import type { Tensor } from './tensor.js';

/** A query of a step: its batch row and number in the step, where it stands, and how many entries it may see. */
export interface Reader {
  readonly row: number;
  readonly token: number;
  readonly position: number;
  readonly visible: number;
}

/**
 * What one query reads of one kv head, as ascending spans without overlap: a selection in the form that is easiest
 * to follow. `numbers` gives the contents of an i32 tensor.
 */
export function spansOf(
  selection: Selection,
  query: Reader,
  kvHead: number,
  numbers: (tensor: Tensor<'i32'>) => Int32Array,
): Span[] {
  switch (selection.kind) {
    case 'all':
      return query.visible > 0 ? [[0, query.visible]] : [];
    case 'ranges':
      return intervalsAt(selection.ranges, query.position, query.visible);
    case 'united':
      return mergeSpans(selection.of.flatMap((part) => spansOf(part, query, kvHead, numbers)));
    default:
      return mergeSpans(listed(selection, query, kvHead, numbers));
  }
}

export function countOf(spans: readonly Span[]): number {
  return spans.reduce((sum, [start, end]) => sum + end - start, 0);
}

function listed(
  selection: BlocksSelection | TokensSelection,
  { row, token, visible }: Reader,
  kvHead: number,
  numbers: (tensor: Tensor<'i32'>) => Int32Array,
): Span[] {
  const { ids, counts, queryBlock } = selection;
  const [, heads, queryBlocks, capacity] = ids.shape as [number, number, number, number];
  const list =
    (row * heads + (heads === 1 ? 0 : kvHead)) * queryBlocks + Math.floor(token / queryBlock);
  const count = numbers(counts)[list];
  const block = blockSizeOf(selection);
  return Array.from(numbers(ids).subarray(list * capacity, list * capacity + count), (id): Span => [
    id * block,
    Math.min(visible, (id + 1) * block),
  ]).filter(([start, end]) => start < end);
}
