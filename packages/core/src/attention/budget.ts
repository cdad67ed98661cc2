import type { SelectRequest } from '../backend.js';
import { intervalsAt } from '../bound.js';
import { inputError } from '../errors.js';
import { visibleAt } from '../positions.js';

/**
 * Host-side check of what a backend cannot refuse: the units that `always` forces must fit into the pick.
 * @throws {InputError} `BUDGET_TOO_SMALL`
 */
export function assertBudget(request: SelectRequest): void {
  const { pick, positions, queryBlock = 1 } = request;
  const room = pick.kind === 'topk' ? pick.k : pick.capacity;
  if (!(Number.isInteger(room) && room >= 1)) {
    throw inputError('select', 'to pick a whole number of units, at least 1', room);
  }
  if (!request.always?.length) return;
  positions.first.forEach((first, row) => {
    const last = positions.counts[row];
    for (let start = 0; start < last; start += queryBlock) {
      const forced = forcedUnits(
        request,
        row,
        first + start,
        first + Math.min(last, start + queryBlock),
      ).length;
      if (forced <= room) continue;
      throw inputError('select', `a pick of at least ${forced} units, which are forced`, room, {
        code: 'BUDGET_TOO_SMALL',
        hint: 'raise the budget, or force fewer entries (sinks, recent ones, the current page)',
      });
    }
  });
}

/** Ids of the units that `always` names for the queries at positions `[start, end)`, ascending. */
export function forcedUnits(
  request: SelectRequest,
  row: number,
  start: number,
  end: number,
): number[] {
  const { always = [], block = 1, over, visible } = request;
  const length = over.lengths[row];
  const units = new Set<number>();
  for (let position = start; position < end; position++) {
    for (const [from, to] of intervalsAt(always, position, visibleAt(visible, position, length))) {
      for (let unit = Math.floor(from / block); unit * block < to; unit++) units.add(unit);
    }
  }
  return [...units].sort((a, b) => a - b);
}
