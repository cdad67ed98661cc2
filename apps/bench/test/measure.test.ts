import { type AttentionStrategy, audit, createAttention, reference } from '@jit-attention/core';
import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';
import { describe, expect, it } from 'vitest';

import { BACKENDS, type Device } from '../src/backends.js';
import type { Candidate } from '../src/candidates/candidate.js';
import { measureLayer, workOf } from '../src/measure/layer.js';
import { mapMass } from '../src/measure/mass.js';
import { assess } from '../src/measure/quality.js';
import { drawRuns } from '../src/measure/runs.js';
import { lapsOf, time, type Timing } from '../src/measure/time.js';
import { tokensOf, Walk } from '../src/measure/walk.js';
import { firstLayer, synthetic } from './synthetic.js';

const device: Device = {
  name: 'reference',
  threads: 1,
  backend: reference(),
  entry: BACKENDS.reference,
};
const input = firstLayer(synthetic());
const runs = drawRuns(320, { runs: 4, length: 16 }, 0);

const candidate = (create: () => AttentionStrategy): Candidate => ({
  strategy: 'any',
  create,
  code: { imports: { name: 'any', from: 'any' }, expression: 'any()' },
});

/** A whole causal prefill, audited: the long way to the same numbers. */
async function prefill(strategy: AttentionStrategy) {
  const { heads, kvHeads, headDim, valueDim, scale } = input.config;
  const { query, key, value } = input;
  const attention = createAttention({
    backend: reference(),
    strategy: audit(strategy, { sample: 1 }),
    ...{ heads, kvHeads, headDim, valueDim, scale },
  });
  const result = await attention.run({ query, key, value });
  return { output: await result.output.data(), stats: await result.stats() };
}

describe('a walk through a recorded context', () => {
  it('gives the rows of a whole prefill', async () => {
    const { heads, valueDim } = input.config;
    const strategy = topk({ budget: 24, granularity: 'token' });
    const { output } = await prefill(strategy);
    const walk = new Walk(device.backend, strategy, input);
    for (const run of runs) {
      const result = await walk.attend(run);
      const expected = tokensOf(output, heads, valueDim, run.start, run.start + run.count);
      expect(await result.output.data()).toEqual(expected);
      result.dispose();
    }
    walk.dispose();
  });
});

describe('assess', () => {
  it('agrees with stats() of an audited prefill when all queries are measured', async () => {
    const strategy = windowed({ window: 28, sinks: 4 });
    const { stats } = await prefill(strategy);
    const whole = [{ start: 0, count: 320 }];
    const { outputs } = await assess(device, dense(), input, whole);
    const quality = await assess(device, strategy, input, whole, outputs);
    expect(quality.density).toBe(stats.density);
    expect(quality.flops).toBe(stats.flops);
    expect(quality.bytesRead).toBe(stats.bytesRead);
    expect(quality.recall!.mean).toBeCloseTo(stats.recall!.mean, 12);
    expect(quality.recall!.p5).toBeCloseTo(stats.recall!.p5, 12);
    expect(quality.outputError).toBeCloseTo(stats.outputError!, 6);
  });

  it('refuses a strategy that reads everything and gets something else', async () => {
    const wrong: AttentionStrategy = {
      ...dense(),
      name: 'wrong',
      plan: () => ({ branches: [{ keys: 'cache', selection: { kind: 'all' }, scale: 1 }] }),
    };
    const { outputs } = await assess(device, dense(), input, runs);
    await expect(assess(device, wrong, input, runs, outputs)).rejects.toThrow(
      /wrong on reference: expected the output of dense attention/,
    );
  });

  it('refuses outputs that are not numbers', async () => {
    const broken = { ...input, value: input.value.map((value, i) => (i === 0 ? NaN : value)) };
    await expect(assess(device, dense(), broken, runs)).rejects.toThrow(
      /dense: expected finite outputs, got NaN/,
    );
  });

  it('gives an output error, and no recall, for a strategy that is not exact', async () => {
    const window = windowed({ window: 28, sinks: 4 });
    const inexact = { ...window, supports: { ...window.supports, exact: false } };
    const { outputs } = await assess(device, dense(), input, runs);
    const quality = await assess(device, inexact, input, runs, outputs);
    expect(quality.recall).toBeUndefined();
    expect(quality.outputError).toBeGreaterThan(0);
  });

  it('leaves nothing on the backend', async () => {
    const before = device.backend.memory();
    await assess(device, topk({ budget: 128 }), input, runs);
    expect(device.backend.memory()).toEqual(before);
  });
});

describe('time', () => {
  it('gives every strategy a time for every run, and a failing one its error', async () => {
    const failing: AttentionStrategy = {
      ...dense(),
      plan: () => {
        throw new Error('no idea');
      },
    };
    const [good, bad] = await time(device, [dense(), failing], input, runs, 3);
    expect(good).toMatchObject({ ms: expect.any(Number) as number });
    expect((good as Timing).runs).toHaveLength(runs.length);
    expect(bad).toBeInstanceOf(Error);
    expect(device.backend.memory().tensors).toBe(0);
  });
});

describe('turns of time', () => {
  it('warm everyone up, then start with another one each', async () => {
    const order: string[] = [];
    const logged = (name: string): AttentionStrategy => ({
      ...dense(),
      name,
      plan: (step) => {
        order.push(name);
        return dense().plan(step);
      },
    });
    const run = [{ start: 0, count: 32 }];
    const [first] = await time(device, ['a', 'b', 'c'].map(logged), input, run, 4);
    expect(order.join('')).toBe('abc' + 'abc' + 'bca' + 'cab' + 'abc');
    expect((first as Timing).runs).toHaveLength(1);
  });
});

describe('measureLayer', () => {
  it('keeps the place of whoever fails, with the reason', async () => {
    const all = candidate(() => dense());
    const candidates = [
      candidate(() => {
        throw new Error('cannot be made');
      }),
      all, // wherever it stands
      candidate(() => topk({ budget: 1 })),
      candidate(() => windowed({ window: 60, sinks: 4 })),
    ];
    const task = { device, input, dense: all, candidates, runs, repetitions: 1 };
    let work = 0;
    const measured = await measureLayer(task, (done) => (work += done));
    expect(measured.map((one) => one.candidate)).toEqual(candidates);
    expect(measured.map((one) => Boolean(one.timing))).toEqual([false, true, false, true]);
    expect(measured[0].error).toBe('cannot be made');
    expect(measured[2].error).toMatch(/budget/);
    expect(measured[3].quality!.outputError).toBeGreaterThan(0);
    const failed = 2; // is not timed
    expect(work).toBe(workOf(task) - failed * lapsOf(runs, task.repetitions));
  });
});

describe('measureLayer without dense attention', () => {
  it('compares nobody with anybody else', async () => {
    const broken = candidate(() => {
      throw new Error('cannot be made');
    });
    const candidates = [broken, candidate(() => windowed({ window: 60, sinks: 4 }))];
    const task = { device, input, dense: broken, candidates, runs, repetitions: 1 };
    const [, other] = await measureLayer(task, () => undefined);
    expect(other.quality).toBeUndefined();
    expect(other.error).toBe('nothing to compare with: dense attention failed: cannot be made');
  });
});

describe('mapMass', () => {
  it('spreads the attention of a head over columns, and tells what was read of it', async () => {
    const all = candidate(() => dense());
    const window = candidate(() => windowed({ window: 60, sinks: 4 }));
    const map = await mapMass(device, [input], all, [all, window]);
    expect(map.positions).toEqual([63, 127, 191, 255, 319]);
    const [everything, recent] = map.panels;
    map.truth.forEach((row, i) => {
      expect(row.reduce((sum, mass) => sum + mass, 0)).toBeCloseTo(1, 5);
      row.forEach((mass, column) => {
        if (column > i) return expect(mass).toBe(0);
        expect(everything.captured[i][column]).toBeCloseTo(mass, 5);
        const outside = column > 0 && column < i; // the sinks are in the first, the window in the last
        if (outside) expect(recent.captured[i][column]).toBeUndefined();
        else expect(recent.captured[i][column]).toBeLessThanOrEqual(mass + 1e-6);
      });
    });
    expect(everything.recall).toBeCloseTo(1, 6);
    expect(recent.recall).toBeLessThan(0.9);
  });

  it('takes the layer with places that somebody misses', async () => {
    const [all, window] = [dense, () => windowed({ window: 60, sinks: 4 })].map(candidate);
    const even = { ...input, layer: 7, query: input.query.map(() => 0) };
    for (const inputs of [
      [even, input],
      [input, even],
    ]) {
      const map = await mapMass(device, inputs, all, [all, window]);
      expect(map.layer).toBe(input.layer);
    }
  });
});
