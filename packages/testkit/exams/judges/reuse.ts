import { type AttentionStrategy, createAttention, type KeptPlan } from '@jit-attention/core';
import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { pageTopk } from '../../judges/page-topk.js';
import { reuse } from '../../judges/reuse.js';
import {
  attendCache,
  type Call,
  cutInputs,
  everyQuery,
  exam,
  examine,
  type Ground,
  type Inputs,
  layerOf,
  type LayerExam,
  type Place,
  type Problem,
  problems,
  randomInputs,
  requiresOf,
  span,
  toArrays,
  Transcript,
  uneven,
} from './support/index.js';
import { nsaCase, nsaSizes } from './support/nsa-case.js';
import { StraightNsa } from './support/straight-nsa.js';
import { pageBudget, pagesRead } from './support/straight-pages.js';

export function testReuse(runner: Runner, suite: BackendSuite): void {
  testLayers(runner, suite);
  testLaterSteps(runner, suite);
}

type Reader = Pick<Place, 'row' | 'kvHead' | 'position'>;
type Reads = (place: Reader) => number[];

/** Other numbers for every layer of a case. */
const inputsOf = (problem: Problem, layer: number): Inputs =>
  randomInputs({ ...problem, seed: problem.seed + layer });

function testLayers(runner: Runner, suite: BackendSuite): void {
  runner.describe(`reuse by later layers, ${suite.name}`, () => {
    const reads = 'reads, of its own keys and values, what the first layer selected';
    exam(
      runner,
      suite,
      reads,
      [problems(), fc.integer({ min: 1, max: 4 })],
      async (ground, problem, pages) => {
        const budget = pageBudget(problem, 1, pages - 1);
        const first = inputsOf(problem, 0);
        const reads: Reads = (place) => pagesRead(problem, first, place, { budget, sinks: 1 });
        const layer = (i: number): LayerExam => {
          const inputs = inputsOf(problem, i);
          return {
            strategy: () => reuse(pageTopk({ budget, sinks: 1 })),
            inputs,
            output: everyQuery(problem, (place) =>
              attendCache(problem, inputs, place, reads(place)),
            ),
            reads: [reads],
            from: 'layer',
          };
        };
        await examine(ground, problem, layer(0), layer(1), layer(2));
      },
    );

    const leaves = 'leaves a strategy of several branches all but its selection';
    exam(runner, suite, leaves, [problems(), nsaSizes], async (ground, problem, sizes) => {
      const cases = [nsaCase(problem, sizes, 'first'), nsaCase(problem, sizes, 'second')];
      const requires = requiresOf(cases[0]);
      const straights = cases.map(({ options }, i) => {
        const inputs = randomInputs({ ...problem, seed: problem.seed + i }, requires);
        return { inputs, formula: new StraightNsa(problem, inputs, options) };
      });
      const selected: Reads = (place) => straights[0].formula.selected(place);
      const layers = straights.map(({ inputs, formula }, i): LayerExam => ({
        strategy: (bench) => reuse(cases[i].strategy(bench)),
        inputs,
        output: everyQuery(problem, (place) => formula.output(place, selected(place))),
        reads: [undefined, selected],
        from: 'layer',
      }));
      await examine(ground, problem, ...layers);
    });
  });
}

/** A chunk of queries, and the one whose last selections it can reuse. */
interface Step {
  readonly chunk: Call;
  readonly from: Call | undefined;
}

/** A call as it is planned. */
function chunksOf({ start, counts }: Call, size: number): Call[] {
  return span(0, Math.ceil(Math.max(...counts) / size)).map((i) => ({
    start: start.map((first, row) => first + Math.min(counts[row], i * size)),
    counts: counts.map((count) => Math.min(size, Math.max(0, count - i * size))),
  }));
}

/** The steps of each call. Every `every`-th call plans anew, those between are given its plan. */
function renewed(calls: readonly Call[], size: number, every: number): Step[][] {
  const last = (call: Call): Call => chunksOf(call, size).at(-1)!;
  return calls.map((call, i) => {
    const from = i % every ? last(calls[i - (i % every)]) : undefined;
    return chunksOf(call, size).map((chunk) => ({ chunk, from }));
  });
}

/** The steps of each call. All are given the plan before; one that was reused itself hands nothing on. */
function chained(calls: readonly Call[], size: number): Step[][] {
  let from: Call | undefined;
  return calls.map((call) => {
    const steps = chunksOf(call, size).map((chunk): Step => ({ chunk, from }));
    const last = steps.at(-1)!;
    from = ageOf(last) === undefined ? last.chunk : undefined;
    return steps;
  });
}

const endOf = ({ start, counts }: Call, row: number): number => start[row] + counts[row];

/** Tokens since the earlier call, by the row that went furthest; undefined where it left a row out. */
function ageOf({ chunk, from }: Step): number | undefined {
  const rows = span(0, chunk.counts.length).filter((row) => chunk.counts[row] > 0);
  if (!from || rows.some((row) => from.counts[row] === 0)) return undefined;
  return Math.max(...rows.map((row) => endOf(chunk, row) - endOf(from, row)));
}

/** What the queries of a case read, by the steps they come in. */
function carried(steps: readonly Step[], anew: Reads): Reads {
  return ({ row, kvHead, position }) => {
    const step = steps.find(({ chunk }) => position < endOf(chunk, row))!;
    const age = ageOf(step);
    if (age === undefined) return anew({ row, kvHead, position });
    const then = anew({ row, kvHead, position: endOf(step.from!, row) - 1 });
    return span(0, position + 1).filter((entry) => then.includes(entry) || entry > position - age);
  };
}

/** Runs a sequence, calls given the plan of the last one that planned anew, or of the one before. */
async function walk(
  backend: Ground['backend'],
  strategy: AttentionStrategy,
  { problem, inputs, calls }: { problem: Problem; inputs: Inputs; calls: readonly Call[] },
  every: number,
): Promise<Transcript> {
  const attention = createAttention({ ...layerOf(problem), backend, strategy });
  const sequence = attention.sequence({ batch: problem.lengths.length });
  const transcript = new Transcript('steps', problem);
  let plan: KeptPlan | undefined;
  for (const [i, call] of calls.entries()) {
    const renews = every > 0 && i % every === 0;
    const result = await sequence.attend({
      ...toArrays(cutInputs(inputs, call)),
      lengths: call.counts,
      from: renews ? undefined : plan,
      keepPlan: true,
    });
    await transcript.add(result, call.start, call.counts);
    if (renews || every === 0) {
      plan?.dispose();
      plan = result.plan!.retain();
    }
    result.dispose();
  }
  plan?.dispose();
  sequence.dispose();
  return transcript;
}

function testLaterSteps(runner: Runner, suite: BackendSuite): void {
  const options = fc.record({
    pages: fc.integer({ min: 1, max: 3 }),
    /** Calls to a plan made anew; 0: every call is given the plan of the one before. */
    every: fc.constantFrom(0, 2, 3, 5),
  });

  runner.describe(`reuse by later steps, ${suite.name}`, () => {
    const reads = 'reads what the last query of the earlier step selected, and whatever is newer';
    exam(
      runner,
      suite,
      reads,
      [problems(), options],
      async ({ backend, tolerance }, problem, { pages, every }) => {
        const { queryChunk } = problem;
        const chosen = { budget: pageBudget(problem, 1, pages - 1), sinks: 1 };
        const inputs = inputsOf(problem, 0);
        const calls = uneven(problem);
        const steps = every ? renewed(calls, queryChunk, every) : chained(calls, queryChunk);
        const reads = carried(steps.flat(), (place) => pagesRead(problem, inputs, place, chosen));

        const strategy = reuse(pageTopk(chosen));
        const transcript = await walk(backend, strategy, { problem, inputs, calls }, every);
        transcript.assertReads(0, reads);
        transcript.assertOutput(
          everyQuery(problem, (place) => attendCache(problem, inputs, place, reads(place))),
          tolerance,
        );
      },
    );
  });
}
