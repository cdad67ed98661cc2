import { findChromium, NO_CHROMIUM } from '@jit-attention/testkit/exams/browser';
import { afterEach, describe, expect, it, vi } from 'vitest';

import { gpuCase } from '../../src/model-bench/gpu/case.js';
import { CHECKED } from '../../src/model-bench/gpu/contender.js';
import { Generators } from '../../src/model-bench/gpu/generators.js';
import { greedyUncut } from '../../src/model-bench/speed/same.js';
import { Uncut } from '../../src/model-bench/speed/uncut.js';
import { openSubject } from '../../src/model-bench/subject.js';
import { Rows } from '../../src/race/case.js';
import { race } from '../../src/race/race.js';
import { rowOf } from '../../src/race/rows.js';

const CONTEXTS = [24, 40];
const subject = openSubject({}, CONTEXTS[1]);
const sizes = { heads: 4, kvHeads: 2, headDim: 64 };
const chromium = findChromium();

async function expected(tokens: number): Promise<number[]> {
  const uncut = await Uncut.open(subject, 'onnxruntime-node', 1);
  const ids = await greedyUncut(uncut, subject.text.slice(0, tokens), CHECKED);
  await uncut.release();
  return ids;
}

describe('gpu-decode', () => {
  afterEach(() => {
    vi.unstubAllEnvs();
  });

  it('is rows with errors where there is no Chromium', async () => {
    vi.stubEnv('CHROMIUM', '/nowhere');
    const generators = new Generators(subject, sizes, 1);
    const one = gpuCase({ generators, contexts: CONTEXTS, expected });
    const rows = (await race(one.contenders, { rounds: 1 })).map((out) => rowOf('model', one, out));
    await generators.close();
    expect(rows).toHaveLength(3 * CONTEXTS.length);
    for (const { error, metrics } of rows) {
      expect(error).toMatch(/CHROMIUM names none/);
      expect(metrics.ms).toBeNull();
    }
    const figures = one.figures(new Rows(rows));
    expect(figures).toHaveLength(2 * CONTEXTS.length + 3);
    for (const { value } of figures) expect(value).toBeUndefined();
    expect(generators.adapter).toBeUndefined();
  });

  it.skipIf(!chromium)(
    `times a token, and the dense one is Node's${chromium ? '' : ` (${NO_CHROMIUM})`}`,
    async () => {
      const generators = new Generators(subject, sizes, 1);
      const { contenders } = gpuCase({ generators, contexts: [CONTEXTS[0]], expected });
      const dense = contenders.find(
        ({ facts }) => facts.implementation === 'jit-attention' && facts.strategy === 'dense',
      )!;
      const [{ ms, error }] = await race([dense], { rounds: 1 }).finally(() => generators.close());
      expect(error).toBeUndefined();
      expect(ms).toBeGreaterThan(0);
      expect(generators.adapter?.vendor).toEqual(expect.any(String));
    },
    180_000, // SwiftShader
  );
});
