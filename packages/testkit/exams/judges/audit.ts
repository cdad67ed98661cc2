import { audit, type AuditReport, createAttention } from '@jit-attention/core';
import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { assertClose, compare } from '../../src/compare.js';
import { windowed } from '../../judges/windowed.js';
import {
  attendCache,
  cutInputs,
  dot,
  everyQuery,
  exam,
  examine,
  type Ground,
  type Inputs,
  layerOf,
  matrix,
  type Place,
  placesOf,
  type Problem,
  problems,
  randomInputs,
  softmax,
  span,
  steps,
  sum,
  toArrays,
} from './support/index.js';

interface Options {
  readonly window: number;
  readonly sinks: number;
}

const options: fc.Arbitrary<Options> = fc.record({
  window: fc.integer({ min: 1, max: 8 }),
  sinks: fc.integer({ min: 0, max: 3 }),
});

const kept = ({ window, sinks }: Options, { position }: Pick<Place, 'position'>): number[] =>
  span(0, position + 1).filter((entry) => entry < sinks || entry > position - window);

/** The mass of the full softmax that falls on what is kept. */
function massOf(problem: Problem, inputs: Inputs, place: Place, chosen: Options): number {
  const query = matrix(inputs.query, problem, place.row, place.head)[place.position];
  const keys = matrix(inputs.key, problem, place.row, place.kvHead).slice(0, place.position + 1);
  const masses = softmax(keys.map((key) => problem.headDim ** -0.5 * dot(query, key)));
  return sum(kept(chosen, place).map((id) => masses[id]));
}

/** Recall is the exponential of a difference of log-sum-exps, each read back as f32. */
const recallTolerance = ({ tolerance }: Ground): number => Math.max(2e-6, tolerance);

function assertRecalls(what: string, ground: Ground, pairs: readonly (readonly number[])[]): void {
  const [actual, expected] = [0, 1].map((side) => pairs.map((pair) => pair[side]));
  assertClose(what, actual, expected, { tolerance: recallTolerance(ground) });
}

/** Recalls `[heads]` of each audited query; a query is audited once. */
function byQuery(reports: readonly AuditReport[]): Map<string, readonly number[]> {
  const recalls = new Map<string, readonly number[]>();
  for (const { queries, recalls: own } of reports) {
    for (const [i, { row, position }] of queries.entries()) {
      const query = `${row}: ${position}`;
      if (recalls.has(query)) throw new Error(`${query}: expected one audit, got two`);
      recalls.set(query, own[i]);
    }
  }
  return recalls;
}

/** The reports of one `run`, its statistics, and the reports of decoding token by token. */
async function auditBoth(
  { backend }: Ground,
  problem: Problem,
  inputs: Inputs,
  options: Options & { readonly sample: number },
) {
  const { window, sinks, sample } = options;
  const batch = problem.lengths.length;
  const reports: AuditReport[] = [];
  const attention = createAttention({
    ...layerOf(problem),
    backend,
    strategy: audit(windowed({ window, sinks }), {
      sample,
      seed: 7,
      onReport: (one) => reports.push(one),
    }),
  });
  const lengths = problem.lengths;
  const result = await attention.run({ ...toArrays(inputs), batch, lengths });
  const stats = await result.stats();
  const ofRun = reports.splice(0);
  result.dispose();

  const sequence = attention.sequence({ batch });
  for (const call of steps(problem, () => 1)) {
    const step = await sequence.attend({
      ...toArrays(cutInputs(inputs, call)),
      lengths: call.counts,
    });
    await step.stats();
    step.dispose();
  }
  sequence.dispose();
  return { stats, ofRun, ofDecode: reports };
}

export function testAudit(runner: Runner, suite: BackendSuite): void {
  runner.describe(`audit, ${suite.name}`, () => {
    const cases = [problems(), options] as const;

    exam(runner, suite, 'changes nothing of what is read', [...cases], readsTheSame);

    const reports =
      'reports the mass of the full softmax that was read, and the error of the output';
    exam(runner, suite, reports, [...cases], reportsTheMass);

    const samples = 'samples the same queries however the calls are cut';
    exam(runner, suite, samples, [...cases], samplesTheSame);
  });
}

async function readsTheSame(ground: Ground, problem: Problem, chosen: Options): Promise<void> {
  const inputs = randomInputs(problem);
  await examine(ground, problem, {
    strategy: () => audit(windowed(chosen), { sample: 0.5 }),
    inputs,
    output: everyQuery(problem, (place) =>
      attendCache(problem, inputs, place, kept(chosen, place)),
    ),
    reads: [(place) => kept(chosen, place)],
  });
}

async function reportsTheMass(ground: Ground, problem: Problem, chosen: Options): Promise<void> {
  const inputs = randomInputs(problem);
  const { stats, ofRun } = await auditBoth(ground, problem, inputs, { ...chosen, sample: 1 });
  const places = placesOf(problem);
  const masses = places.map((place) => massOf(problem, inputs, place, chosen));
  const recalls = byQuery(ofRun);
  assertRecalls('recall', ground, [
    [stats.recall!.mean, sum(masses) / masses.length],
    [stats.recall!.min, Math.min(...masses)],
    ...places.map(({ row, position, head }, i) => [
      recalls.get(`${row}: ${position}`)![head],
      masses[i],
    ]),
  ]);

  const output = (ids: (place: Place) => number[]): Float64Array =>
    everyQuery(problem, (place) => attendCache(problem, inputs, place, ids(place)));
  const { relative } = compare(
    output((place) => kept(chosen, place)),
    output(({ position }) => span(0, position + 1)),
  );
  const tolerance = Math.max(1e-6, ground.tolerance);
  // What is small is a difference of outputs, and no more exact than they are.
  assertClose('outputError', [1 + stats.outputError!], [1 + relative], { tolerance });
}

async function samplesTheSame(ground: Ground, problem: Problem, chosen: Options): Promise<void> {
  const inputs = randomInputs(problem);
  const options = { ...chosen, sample: 0.5 };
  const { ofRun, ofDecode } = await auditBoth(ground, problem, inputs, options);
  const [run, decode] = [byQuery(ofRun), byQuery(ofDecode)];
  const [sampled, again] = [run, decode].map((queries) => [...queries.keys()].sort().join('; '));
  if (again !== sampled) throw new Error(`expected audits of ${sampled}, got ${again}`);
  for (const [query, recalls] of decode)
    assertRecalls(
      query,
      ground,
      recalls.map((recall, head) => [recall, run.get(query)![head]]),
    );
}
