import type { Positions } from '../positions.js';
import { PlanError } from '../errors.js';
import type { Plan } from '../plan.js';
import type { Selection } from '../selection.js';
import type { Site } from './options.js';

function invalid(where: string, expected: string, actual: unknown): never {
  const got = Array.isArray(actual) ? `[${actual.join(', ')}]` : String(actual);
  throw new PlanError(`${where}: expected ${expected}, got ${got}`, {
    code: 'PLAN_INVALID',
    expected,
    actual,
  });
}

/**
 * Structure and shapes of a plan, before a backend sees it.
 * @throws {PlanError} `PLAN_INVALID`
 */
export function assertPlan(
  where: string,
  plan: Plan,
  { layer, sinkLogits }: Site,
  positions: Positions,
): void {
  if (!plan?.branches?.length) {
    invalid(where, 'a plan with at least one branch', plan?.branches);
  }
  const batch = positions.first.length;
  for (const { selection, query } of plan.branches) {
    assertSelection(where, selection, [batch, layer.kvHeads], positions.tokens);
    const shape = [batch, layer.heads, positions.tokens];
    if (query && !shape.every((length, axis) => length === query.shape[axis])) {
      invalid(where, `a branch query [${shape.join(', ')}, headDim]`, query.shape);
    }
  }
  if (plan.gates && sinkLogits) invalid(where, 'sinkLogits in one softmax', 'a plan with gates');
  const gates = [batch, layer.heads, positions.tokens, plan.branches.length];
  if (plan.gates && plan.gates.shape.join() !== gates.join()) {
    invalid(where, `gates [${gates.join(', ')}]`, plan.gates.shape);
  }
}

function assertSelection(
  where: string,
  selection: Selection,
  [batch, kvHeads]: [number, number],
  tokens: number,
): void {
  switch (selection.kind) {
    case 'all':
    case 'ranges':
      return;
    case 'united':
      for (const part of selection.of) assertSelection(where, part, [batch, kvHeads], tokens);
      return;
    case 'blocks':
    case 'tokens': {
      const { ids, counts, queryBlock } = selection;
      const blocks = Math.ceil(tokens / queryBlock);
      const [rows, heads, queryBlocks] = ids.shape;
      if (ids.dtype !== 'i32') invalid(where, 'i32 ids', ids.dtype);
      if (rows !== batch || (heads !== 1 && heads !== kvHeads) || queryBlocks !== blocks) {
        invalid(where, `ids [${batch}, ${kvHeads} or 1, ${blocks}, capacity]`, ids.shape);
      }
      if (counts.shape.join() !== ids.shape.slice(0, 3).join()) {
        invalid(where, `counts [${ids.shape.slice(0, 3).join(', ')}]`, counts.shape);
      }
      return;
    }
    default:
      invalid(
        where,
        'a selection (all, ranges, blocks, tokens, united)',
        (selection as { kind?: unknown }).kind,
      );
  }
}
