import {
  all,
  audit,
  type AuditReport,
  type Branch,
  createAttention,
  fromQuery,
  ranges,
  type Stats,
  type Step,
  union,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { outputOf } from './support/calls.js';
import { leakFree } from './support/leaks.js';
import { newest, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const TOKENS = 24;
const text = new Text(TOKENS);

const newestOf = (count: number): Branch => ({
  keys: 'cache',
  selection: ranges([fromQuery(1 - count), fromQuery(1)]),
});

/** The same branch with every default spelled out. */
const spelled = (branch: Branch, step: Step): Branch => ({
  ...branch,
  keys: step.keys,
  values: step.values,
  query: step.query,
  scale: step.layer.scale,
  visible: step.visible,
});

/** Output and stats of a strategy that plans these branches, every query audited. */
async function audited(
  branches: (step: Step) => Branch[],
  rest: { sinkLogits?: number[]; queryChunk?: number } = {},
): Promise<{ output: Float32Array; stats: Stats }> {
  let seen: { output: Float32Array; stats: Stats } | undefined;
  await leakFree(async (backend) => {
    const strategy = audit(
      planning((step) => ({ branches: branches(step) })),
      { sample: 1 },
    );
    const layer = createAttention({ ...LAYER, ...rest, backend, strategy });
    const result = await layer.run(text.take({ first: [0], counts: [TOKENS] }));
    const stats = await result.stats();
    seen = { output: await outputOf(result), stats };
  });
  return seen!;
}

describe('branches of one softmax that read the same', () => {
  it('are united: entry by entry, count, recall and output are those of one branch', async () => {
    const once = await audited(() => [newestOf(8)]);
    expect(once.stats.recall!.min).toBeLessThan(1);
    for (const branches of [
      [newestOf(8), newestOf(8)],
      [newestOf(3), newestOf(8), newestOf(5)],
    ]) {
      expect(await audited(() => branches)).toEqual(once);
    }
  });

  it('are recognised with their defaults spelled out, chunk by chunk and with sinks', async () => {
    const rest = { queryChunk: 7, sinkLogits: Array.from({ length: LAYER.heads }, (_, i) => i) };
    const once = await audited(() => [newestOf(8)], rest);
    const both = await audited((step) => [newestOf(4), spelled(newestOf(8), step)], rest);
    expect(both).toEqual(once);
  });

  it('stay apart where they have a softmax each', async () => {
    await leakFree(async (backend) => {
      const shape = [1, LAYER.heads, TOKENS, 2];
      const gates = backend.tensor(new Float32Array(LAYER.heads * TOKENS * 2).fill(0.5), { shape });
      const run = (branches: Branch[], gated: boolean): Promise<Float32Array> => {
        const strategy = planning(() => ({ branches, ...(gated ? { gates } : {}) }));
        const layer = createAttention({ ...LAYER, backend, strategy });
        return outputOf(layer.run(text.take({ first: [0], counts: [TOKENS] })));
      };
      const [once, halves] = [
        await run([newestOf(8)], false),
        await run([newestOf(8), newestOf(8)], true),
      ];
      once.forEach((value, i) => expect(halves[i]).toBeCloseTo(value, 5));
      gates.dispose();
    });
  });
});

describe('which plans are audited', () => {
  it('those that spell out defaults, also under a union', async () => {
    const plain = await audited(() => [newestOf(8)]);
    expect(await audited((step) => [spelled(newestOf(8), step)])).toEqual(plain);

    await leakFree(async (backend) => {
      const own = planning((step) => ({ branches: [spelled(newestOf(2), step)] }));
      const strategy = audit(union(own, newest(8)), { sample: 1 });
      const layer = createAttention({ ...LAYER, backend, strategy });
      const result = await layer.run(text.take({ first: [0], counts: [TOKENS] }));
      expect((await result.stats()).recall).toEqual(plain.stats.recall);
      result.dispose();
    });
  });

  it('not those with a scale of their own, or with two bounds', async () => {
    const scaled = await audited(() => [{ keys: 'cache', selection: all, scale: 2 }]);
    expect(scaled.stats.recall).toBeUndefined();
    const bounds = await audited(() => [newestOf(8), { ...newestOf(8), visible: fromQuery() }]);
    expect(bounds.stats.recall).toBeUndefined();
  });
});

describe('listeners', () => {
  it('hear of a call once it has succeeded, and never of one that was aborted', () =>
    leakFree(async (backend) => {
      const heard: AuditReport[] = [];
      const listen = (report: AuditReport): void => void heard.push(report);
      const controller = new AbortController();
      let chunk = 0;
      const strategy = audit(
        planning(() => {
          if (++chunk === 3) controller.abort();
          return { branches: [newestOf(2)] };
        }),
        { sample: 1, minRecall: 1, onMiss: listen, onReport: listen },
      );
      const layer = createAttention({ ...LAYER, backend, strategy, queryChunk: 4 });
      const inputs = text.take({ first: [0], counts: [TOKENS] });
      const aborted = layer.run({ ...inputs, signal: controller.signal });
      await expect(aborted).rejects.toMatchObject({ code: 'ABORTED' });
      await new Promise((resolve) => setTimeout(resolve, 5));
      expect(heard).toEqual([]);

      const result = await layer.run(inputs);
      await result.stats();
      expect(heard.length).toBeGreaterThanOrEqual(TOKENS / 4);
      result.dispose();
    }));
});
