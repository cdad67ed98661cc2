import { audit, type AuditReport, createAttention, reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { windowed } from '../../judges/windowed.js';
import {
  attendCache,
  cutInputs,
  dot,
  everyQuery,
  examine,
  holds,
  type Inputs,
  layerOf,
  matrix,
  type Place,
  placesOf,
  type Problem,
  problems,
  randomInputs,
  relativeFrobenius,
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
const expectRecall = (actual: number, expected: number): void =>
  expect(Math.abs(actual - expected)).toBeLessThan(2e-6);

/** Recalls `[heads]` of each audited query; a query is audited once. */
function byQuery(reports: readonly AuditReport[]): Map<string, readonly number[]> {
  const recalls = new Map<string, readonly number[]>();
  for (const { queries, recalls: own } of reports) {
    for (const [i, { row, position }] of queries.entries()) {
      expect(recalls.has(`${row}: ${position}`)).toBe(false);
      recalls.set(`${row}: ${position}`, own[i]);
    }
  }
  return recalls;
}

/** The reports of one `run`, its statistics, and the reports of decoding token by token. */
async function auditBoth(problem: Problem, inputs: Inputs, chosen: Options, sample: number) {
  const batch = problem.lengths.length;
  const reports: AuditReport[] = [];
  const attention = createAttention({
    ...layerOf(problem),
    backend: reference(),
    strategy: audit(windowed(chosen), { sample, seed: 7, onReport: (one) => reports.push(one) }),
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
  return { stats, ofRun, ofDecode: reports };
}

describe('audit', () => {
  it('changes nothing of what is read', () =>
    holds([problems(), options], async (problem, chosen) => {
      const inputs = randomInputs(problem);
      await examine(problem, {
        strategy: () => audit(windowed(chosen), { sample: 0.5 }),
        inputs,
        output: everyQuery(problem, (place) =>
          attendCache(problem, inputs, place, kept(chosen, place)),
        ),
        reads: [(place) => kept(chosen, place)],
      });
    }));

  it('reports the mass of the full softmax that was read, and the error of the output', () =>
    holds([problems(), options], async (problem, chosen) => {
      const inputs = randomInputs(problem);
      const { stats, ofRun } = await auditBoth(problem, inputs, chosen, 1);
      const places = placesOf(problem);
      const masses = places.map((place) => massOf(problem, inputs, place, chosen));
      expectRecall(stats.recall!.mean, sum(masses) / masses.length);
      expectRecall(stats.recall!.min, Math.min(...masses));

      const recalls = byQuery(ofRun);
      for (const [i, { row, position, head }] of places.entries())
        expectRecall(recalls.get(`${row}: ${position}`)![head], masses[i]);

      const output = (ids: (place: Place) => number[]): Float64Array =>
        everyQuery(problem, (place) => attendCache(problem, inputs, place, ids(place)));
      const full = output(({ position }) => span(0, position + 1));
      const error = relativeFrobenius(
        output((place) => kept(chosen, place)),
        full,
      );
      expect(Math.abs(stats.outputError! - error)).toBeLessThan(1e-6);
    }));

  it('samples the same queries however the calls are cut', () =>
    holds([problems(), options], async (problem, chosen) => {
      const inputs = randomInputs(problem);
      const { ofRun, ofDecode } = await auditBoth(problem, inputs, chosen, 0.5);
      const [run, decode] = [byQuery(ofRun), byQuery(ofDecode)];
      expect([...decode.keys()].sort()).toEqual([...run.keys()].sort());
      for (const [query, recalls] of decode)
        recalls.forEach((recall, head) => expectRecall(recall, run.get(query)![head]));
    }));
});
