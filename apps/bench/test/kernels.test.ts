import { describe, expect, it } from 'vitest';

import { FLOPS_OF_ITERATION, FMA_MODULE } from '../src/kernels/fma-module.js';
import { fma } from '../src/kernels/fma.js';
import { KERNELS } from '../src/kernels/suite.js';
import { watched } from '../src/kernels/wasm-memory.js';
import { type Case, Rows } from '../src/race/case.js';
import { race } from '../src/race/race.js';
import { rowOf } from '../src/race/rows.js';

/** How many times shorter contexts are than those that figures are asked for. */
const SCALE = 32;

async function rowsOf(one: Case) {
  const outcomes = await race(one.contenders, { rounds: 1 });
  return outcomes.map((outcome) => rowOf('kernels', one, outcome));
}

describe('the bare multiply-adds', () => {
  it('are what they are counted as', async () => {
    await fma().start(); // switches relaxed SIMD on
    const { instance } = await WebAssembly.instantiate(FMA_MODULE);
    const run = instance.exports.run as (iterations: number) => number;
    // Twelve sums begin at 1 to 12, and a product is 2^-20: nothing is rounded before the last sum.
    expect(run(1001) - run(1)).toBeCloseTo((1000 * FLOPS_OF_ITERATION) / 2 / 4 / 2 ** 20, 4);
  });

  it('run on two threads', async () => {
    const outcomes = await race([fma(2)], { rounds: 1 });
    expect(outcomes[0].error).toBeUndefined();
    expect(outcomes[0].ms).toBeGreaterThan(0);
  });
});

describe.each(KERNELS.cases(SCALE, 'cpu').map((one) => [one.name, one] as const))(
  'kernels: %s',
  (_, one) => {
    it('measures every contender, and makes its figures of that', async () => {
      const rows = await rowsOf(one);
      expect(rows.map(({ error }) => error)).toEqual(rows.map(() => undefined));
      expect(rows.length).toBeGreaterThan(0);
      for (const { value } of one.figures(new Rows(rows)))
        expect(value).toEqual(expect.any(Number));
    });

    it('has no figures where nothing could be measured', () => {
      for (const { value } of one.figures(new Rows([]))) expect(value).toBeUndefined();
    });
  },
);

describe('watched', () => {
  it('knows the size of the memories that were made, as they grow', async () => {
    const [memory, bytes] = await watched(() =>
      Promise.resolve(new WebAssembly.Memory({ initial: 1 })),
    );
    expect(bytes()).toBe(65_536);
    memory.grow(3);
    expect(bytes()).toBe(4 * 65_536);
    expect(new WebAssembly.Memory({ initial: 1 })).toBeInstanceOf(WebAssembly.Memory);
    expect(bytes()).toBe(4 * 65_536);
  });
});
