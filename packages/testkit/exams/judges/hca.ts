import fc from 'fast-check';

import type { BackendSuite } from '../../src/backend/suite.js';
import type { Runner } from '../../src/runner.js';
import { hca } from '../../judges/hca.js';
import { everyQuery, exam, examine, matrix, randomInputs, span } from './support/index.js';
import { latentProblems, learned, sinkLogits } from './support/latent.js';
import { attendBesideSink, finishedGroups, pooledGroups } from './support/straight-deepseek.js';

const options = fc.record({
  ratio: fc.integer({ min: 1, max: 6 }),
  window: fc.integer({ min: 1, max: 9 }),
});

export function testHca(runner: Runner, suite: BackendSuite): void {
  runner.describe(`hca, ${suite.name}`, () => {
    exam(
      runner,
      suite,
      'reads every full group as one entry, beside the window and a sink, in one softmax',
      [latentProblems(), options],
      async (ground, problem, { ratio, window }) => {
        const { headDim, valueDim, frequencies } = problem;
        const norm = learned(problem, 'norm', headDim);
        const aux = { per: 'key', heads: 1, width: 'headDim' } as const;
        const inputs = randomInputs(problem, { entryValues: aux, entryGates: aux }, 'key');
        const entries = problem.lengths.map((_, row) => {
          const values = matrix(inputs.aux.entryValues, problem, row, 0);
          const gates = matrix(inputs.aux.entryGates, problem, row, 0);
          const pooled = pooledGroups({ values, gates, ratio, width: headDim, overlapping: false });
          return finishedGroups(pooled, { ratio, norm: norm.rows[0], eps: 1e-6, frequencies });
        });
        const sinks = sinkLogits(problem);

        const output = everyQuery(problem, ({ row, head, position }) => {
          const keys = matrix(inputs.key, problem, row, 0);
          const recent = keys.slice(Math.max(0, position + 1 - window), position + 1);
          const complete = entries[row].slice(0, Math.floor((position + 1) / ratio));
          const query = matrix(inputs.query, problem, row, head)[position];
          const scale = headDim ** -0.5;
          return attendBesideSink(query, [...recent, ...complete], {
            scale,
            sink: sinks[head],
            width: valueDim,
          });
        });

        await examine(ground, problem, {
          strategy: (bench) => hca({ ratio, window, norm: norm.on(bench), frequencies }),
          inputs,
          output,
          options: { values: 'key', sinkLogits: sinks },
          reads: [
            ({ position }) => span(Math.max(0, position + 1 - window), position + 1),
            ({ position }) => span(0, Math.floor((position + 1) / ratio)),
          ],
        });
      },
    );
  });
}
