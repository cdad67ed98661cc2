import { webgpu } from '@jit-attention/backend-webgpu';
import { dense } from '@jit-attention/strategy-dense';
import { hasAdapter, NO_ADAPTER } from '@jit-attention/testkit/exams/adapter';
import { findChromium, NO_CHROMIUM } from '@jit-attention/testkit/exams/browser';
import { describe, expect, it } from 'vitest';

import { KERNELS } from '../src/kernels/suite.js';
import { NATIVE_WEBGPU } from '../src/peers/all.js';
import { contenderOf } from '../src/peers/contender.js';
import { IN_CHROMIUM } from '../src/peers/in-chromium.js';
import { Rows } from '../src/race/case.js';
import { prefill } from '../src/race/prefill.js';
import { type Outcome, race } from '../src/race/race.js';
import { rowOf } from '../src/race/rows.js';
import { EIGHT_HEADS } from '../src/race/shape.js';

const isThere = await hasAdapter(webgpu);
const heading = isThere ? 'on WebGPU' : `on WebGPU (${NO_ADAPTER})`;
const chromium = findChromium();
const SCALE = 32;

describe.skipIf(!isThere)(heading, () => {
  it.each(KERNELS.cases(SCALE, 'webgpu').map((one) => [one.name, one] as const))(
    'kernels: %s is measured',
    async (_, one) => {
      const outcomes = await race(one.contenders, { rounds: 1 });
      const rows = outcomes.map((outcome) => rowOf('kernels', one, outcome));
      expect(rows.map(({ error }) => error)).toEqual(rows.map(() => undefined));
      for (const { value } of one.figures(new Rows(rows)))
        expect(value).toEqual(expect.any(Number));
    },
  );

  it('ONNX Runtime computes what we do, or says that it has no kernel for it', async () => {
    // From 32 tokens on its flash attention is wrong on SwiftShader.
    const shape = { ...EIGHT_HEADS, tokens: 31 };
    const ours = prefill({ ...shape, strategy: dense(), backend: 'webgpu' });
    const peers = NATIVE_WEBGPU.map((peer) => contenderOf(peer, shape));
    const [own, ...theirs] = await race([ours, ...peers], { rounds: 1 });
    expect(own.error).toBeUndefined();
    checkPeers(theirs);
  });

  it.skipIf(!chromium)(
    `so do those in Chromium${chromium ? '' : ` (${NO_CHROMIUM})`}`,
    async () => {
      const shape = { ...EIGHT_HEADS, tokens: 31 };
      const all = IN_CHROMIUM.map((peer) => contenderOf(peer, shape));
      const [own, ...theirs] = await race(all, { rounds: 1 });
      expect(own.error).toBeUndefined();
      checkPeers(theirs);
    },
  );
});

function checkPeers(theirs: readonly Outcome[]): void {
  const errors = theirs.flatMap(({ error }) => error ?? []);
  for (const error of errors) expect(error).toMatch(/fallback/i);
  expect(errors.length).toBeLessThan(theirs.length);
  for (const { error, outputError } of theirs)
    if (error === undefined) expect(outputError).toBeLessThan(1e-4);
}
