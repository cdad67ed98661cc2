import {
  type AttentionStrategy,
  type Branch,
  type Handoff,
  type Plan,
  ranges,
  samePositions,
  type SelectSpec,
  type Step,
  unite,
} from '@jit-attention/core';

type Listed = ReturnType<Step['ops']['select']>;

/**
 * Answers what a strategy would select from the plan that comes as `from`, so that nothing is scored: a later layer
 * reads the same entries of its own keys (IndexCache, arXiv 2603.12201); a later step reads those of the last query
 * then, and what has become visible since. Without a plan that fits, the strategy selects anew.
 *
 * A plan reused by a later step hands nothing on: give the steps that follow the plan that was made anew.
 */
export function reuse(strategy: AttentionStrategy): AttentionStrategy {
  const nameOf = (i: number): string => `${strategy.name}.${i}`;
  return {
    ...strategy,
    name: `reuse(${strategy.name})`,
    plan(step) {
      const known = step.from?.plan.handoff?.selections;
      const age = known?.[nameOf(0)] && ageOf(step);
      const selections: Record<string, Listed> = {};
      const select = (spec: SelectSpec): Listed => {
        const name = nameOf(Object.keys(selections).length);
        const list = age === undefined ? step.ops.select(spec) : carry(known![name], step);
        return (selections[name] = list);
      };
      const finish = (plan: Plan): Plan =>
        age
          ? { ...plan, branches: plan.branches.map((branch) => withNewer(branch, step, age)) }
          : { ...plan, handoff: withSelections(plan.handoff, selections) };
      const plan = strategy.plan({ ...step, ops: { ...step.ops, select } });
      return plan instanceof Promise ? plan.then(finish) : finish(plan);
    },
  };
}

const withSelections = (handoff: Handoff = {}, selections: Handoff['selections']): Handoff => ({
  ...handoff,
  selections: { ...handoff.selections, ...selections },
});

/** Tokens since the last queries of `from`; 0 at the same positions, undefined where a row had none. */
function ageOf({ from, positions: { first, counts } }: Step): number | undefined {
  const then = from!.positions;
  const ages = counts.flatMap((count, row) => {
    if (count === 0) return [];
    return then.counts[row] > 0 ? first[row] + count - then.first[row] - then.counts[row] : NaN;
  });
  return ages.every((age) => age >= 0) ? Math.max(0, ...ages) : undefined;
}

/** The list of each row's last query, for all queries of this step. */
function carry(list: Listed, { from, positions, ops }: Step): Listed {
  if (samePositions(from!.positions, positions)) return list;
  const picks = from!.positions.counts.map(
    (count, row) => [row, Math.max(0, Math.ceil(count / list.queryBlock) - 1)] as const,
  );
  const [ids, counts] = [ops.gather(list.ids, picks), ops.gather(list.counts, picks)];
  return { ...list, ids, counts, queryBlock: positions.tokens };
}

/** A branch that reads a list of `age` tokens ago reads what it could not see then as well. */
function withNewer(branch: Branch, { visible }: Step, age: number): Branch {
  const { selection, visible: end = visible ?? 0 } = branch;
  if (selection.kind === 'all' || selection.kind === 'ranges') return branch;
  const start = typeof end === 'number' ? end : { ...end, offset: end.offset - age };
  return { ...branch, selection: unite(selection, ranges([start, end])) };
}
