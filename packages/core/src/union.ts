import { assertStrategy } from './check-strategy.js';
import { inputError, PlanError } from './errors.js';
import { melt, readTheSame, seeTheSame } from './melt.js';
import type { Plan } from './plan.js';
import type { AttentionStrategy, Index, IndexSite, Step } from './strategy.js';

/**
 * Attends to what either strategy selects, each entry once. Branches over the same keys melt into one; others
 * stand side by side in the one softmax. Where both are audited, the audit of `a` counts.
 *
 * @throws {InputError} `INVALID_OPTION` when both require an auxiliary tensor of the same name and another shape
 * @throws {PlanError} `PLAN_INVALID` when planning: for gated plans, whose branches have a softmax each; and where the
 *   two see the same entries up to different bounds (`visible`), or hand different things on by one name
 */
export function union(a: AttentionStrategy, b: AttentionStrategy): AttentionStrategy {
  for (const one of [a, b]) assertStrategy('union', one);
  for (const [name, spec] of Object.entries(b.requires ?? {})) {
    const other = a.requires?.[name];
    if (other && JSON.stringify(other) !== JSON.stringify(spec)) {
      throw inputError(
        'union',
        `one meaning of the auxiliary tensor '${name}'`,
        `two, in ${a.name} and ${b.name}`,
      );
    }
  }
  return {
    name: `union(${a.name}, ${b.name})`,
    apiVersion: 1,
    supports: {
      exact: a.supports.exact && b.supports.exact,
      sync: a.supports.sync && b.supports.sync,
      bidirectional: a.supports.bidirectional && b.supports.bidirectional,
    },
    requires: { ...a.requires, ...b.requires },
    audit: a.audit ?? b.audit,
    validate(layer) {
      a.validate?.(layer);
      b.validate?.(layer);
    },
    index: (site) => ({ ...prefixed('a.', a, site), ...prefixed('b.', b, site) }),
    plan(step) {
      const first = a.plan(own('a.', step));
      const second = b.plan(own('b.', step));
      if (first instanceof Promise || second instanceof Promise) {
        return Promise.all([first, second]).then((plans) => unitePlans(step, plans));
      }
      return unitePlans(step, [first, second]);
    },
    dead: (length, layer) =>
      intersect(a.dead?.(length, layer) ?? [], b.dead?.(length, layer) ?? []),
  };
}

function prefixed(prefix: string, strategy: AttentionStrategy, site: IndexSite): Index {
  return Object.fromEntries(
    Object.entries(strategy.index?.(site) ?? {}).map(([name, part]) => [prefix + name, part]),
  );
}

/** The step as one of the two sees it: with its own index. */
function own(prefix: string, step: Step): Step {
  const mine = Object.entries(step.index).filter(([name]) => name.startsWith(prefix));
  return {
    ...step,
    index: Object.fromEntries(mine.map(([name, part]) => [name.slice(prefix.length), part])),
  };
}

function unitePlans(step: Step, [a, b]: readonly [Plan, Plan]): Plan {
  if (a.gates || b.gates) {
    throw invalid(
      'plans of one softmax',
      'one with gates',
      'unite inside the gated strategy instead',
    );
  }
  for (const branch of b.branches) {
    const clash = a.branches.some(
      (other) => readTheSame(other, branch, step) && !seeTheSame(other, branch, step),
    );
    if (clash) throw invalid('one bound of what a query sees of the same entries', 'two');
  }
  const [first, second] = [a.handoff, b.handoff];
  const handoff = {
    selections: named(first?.selections, second?.selections),
    entries: named(first?.entries, second?.entries),
  };
  return { branches: melt([...a.branches, ...b.branches], step), handoff };
}

/** What either hands on; a later layer finds it by name, so a name has one meaning. */
function named<T>(
  a: Readonly<Record<string, T>> = {},
  b: Readonly<Record<string, T>> = {},
): Readonly<Record<string, T>> {
  const twice = Object.keys(b).find((name) => name in a && a[name] !== b[name]);
  if (twice === undefined) return { ...a, ...b };
  throw invalid(
    `one meaning of '${twice}' in the handoff`,
    'two',
    'a later layer finds it by name',
  );
}

function invalid(expected: string, actual: string, hint?: string): PlanError {
  return new PlanError(`union: expected ${expected}, got ${actual}`, {
    code: 'PLAN_INVALID',
    expected,
    actual,
    hint,
  });
}

type Range = readonly [start: number, end: number];

/** What is dead for both. */
function intersect(a: readonly Range[], b: readonly Range[]): Range[] {
  return a.flatMap(([aStart, aEnd]) =>
    b
      .map(([bStart, bEnd]): Range => [Math.max(aStart, bStart), Math.min(aEnd, bEnd)])
      .filter(([start, end]) => start < end),
  );
}
