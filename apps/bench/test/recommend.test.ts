import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { type Attention, reference } from '@jit-attention/core';
import { afterEach, describe, expect, it } from 'vitest';

import { BACKENDS } from '../src/backends.js';
import { DENSE, FAMILIES } from '../src/candidates/built-in.js';
import type { Candidate } from '../src/candidates/candidate.js';
import type { Measurement } from '../src/measure/layer.js';
import { codeOf, recommend } from '../src/recommend.js';
import { firstLayer, synthetic } from './synthetic.js';

const input = firstLayer(synthetic());
const dense = DENSE.at(undefined);
const [windowed, pages] = ['windowed', 'topk:page'].map(
  (wanted) => (budget: number) => FAMILIES.find(({ name }) => name === wanted)!.at(budget),
);

interface Numbers {
  bytes: number;
  p5: number;
  ms?: number;
  density?: number;
  layer?: number;
  error?: string;
}

function measured(
  candidate: Candidate,
  { bytes, p5, ms = 1, density = 0.5, layer = 0, error }: Numbers,
): Measurement {
  return {
    candidate,
    input: { ...input, layer },
    runs: [{ start: 0, count: 64 }],
    device: { name: 'reference', threads: 1, backend: reference(), entry: BACKENDS.reference },
    quality: {
      density,
      flops: 1,
      bytesRead: bytes,
      recall: { mean: 1, p5 },
      outputError: 0,
      outputs: [],
    },
    timing: { ms, runs: [ms] },
    error,
  };
}

const all = measured(dense, { bytes: 100, p5: 1, density: 1, ms: 10 });
const chosen = (...measurements: Measurement[]) => recommend(measurements)[0];

describe('recommend', () => {
  it('takes the one that reads least among the good', () => {
    const { candidate, reason } = chosen(
      all,
      measured(windowed(64), { bytes: 10, p5: 0.94 }),
      measured(pages(128), { bytes: 30, p5: 0.95, density: 0.31 }),
      measured(windowed(128), { bytes: 20, p5: 0.96 }),
    );
    expect(candidate).toMatchObject({ strategy: 'windowed', budget: 128 });
    expect(reason).toBe('reads 50 %, recall p5 0.960');
  });

  it('takes the faster of two that read as much', () => {
    const { candidate } = chosen(
      all,
      measured(windowed(128), { bytes: 20, p5: 1, ms: 9 }),
      measured(pages(128), { bytes: 20, p5: 1, ms: 3 }),
    );
    expect(candidate.strategy).toBe('topk');
  });

  it('stays with dense attention where nothing cheaper is good, and says what came nearest', () => {
    const { candidate, reason } = chosen(
      all,
      measured(windowed(64), { bytes: 10, p5: 0.3 }),
      measured(pages(128), { bytes: 20, p5: 0.8 }),
      measured(pages(256), { bytes: 120, p5: 0.99 }),
    );
    expect(candidate.strategy).toBe('dense');
    expect(reason).toBe('nothing cheaper has a recall p5 of 0.95; topk page 128 has 0.800');
  });

  it('passes over what is slower than dense attention, and says so where nothing else is left', () => {
    const oracle = measured(pages(64), { bytes: 10, p5: 0.99, ms: 25 });
    const { candidate } = chosen(all, oracle, measured(windowed(128), { bytes: 50, p5: 0.96 }));
    expect(candidate).toMatchObject({ strategy: 'windowed', budget: 128 });
    const none = chosen(all, oracle, measured(windowed(64), { bytes: 5, p5: 0.9 }));
    expect(none.candidate.strategy).toBe('dense');
    expect(none.reason).toBe('nothing good enough is faster; topk page 64 takes 2.5× the time');
  });

  it('calls whatever reads everything dense attention', () => {
    const { candidate } = chosen(all, measured(pages(512), { bytes: 99, p5: 1, density: 1 }));
    expect(candidate.strategy).toBe('dense');
  });

  it('leaves out what has failed, was not timed, or has no recall', () => {
    const good = { bytes: 10, p5: 1 };
    const untimed = { ...measured(windowed(64), good), timing: undefined };
    const inexact = measured(windowed(96), good);
    const blind = { ...inexact, quality: { ...inexact.quality!, recall: undefined } };
    const failed = measured(windowed(128), { ...good, error: 'oh' });
    expect(chosen(all, untimed, blind, failed).candidate.strategy).toBe('dense');
  });

  it('decides for each layer by itself', () => {
    const found = recommend([
      all,
      measured(windowed(64), { bytes: 10, p5: 0.99 }),
      measured(dense, { bytes: 100, p5: 1, density: 1, ms: 10, layer: 3 }),
      measured(windowed(64), { bytes: 10, p5: 0.2, layer: 3 }),
    ]);
    expect(found.map(({ layer, candidate }) => [layer, candidate.strategy])).toEqual([
      [0, 'windowed'],
      [3, 'dense'],
    ]);
  });
});

describe('codeOf', () => {
  // Inside the package, so that the packages it imports are found.
  const folder = mkdtempSync(join(import.meta.dirname, '..', 'node_modules', '.paste-'));
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('runs as pasted, and makes the strategies that were measured', async () => {
    const recommendations = [dense, windowed(128), pages(256), FAMILIES.at(-1)!.at(64)].map(
      (candidate, layer) => ({ layer, candidate, reason: 'of a reason' }),
    );
    const code = codeOf(recommendations, input.config, BACKENDS.reference);
    const file = join(folder, 'pasted.ts');
    writeFileSync(file, `${code}export { layers };\n`);
    const { layers } = (await import(file)) as { layers: Attention[] };
    expect(layers.map(({ strategy }) => strategy.name)).toEqual([
      'dense',
      'windowed',
      'topk',
      'topk',
    ]);
    expect(layers.map(({ strategy }) => strategy.options)).toEqual(
      recommendations.map(({ candidate }) => candidate.create().options),
    );
    expect(layers[0].layer).toMatchObject({ heads: 4, kvHeads: 2, headDim: 16, scale: 0.25 });
  });
});
