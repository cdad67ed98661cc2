import {
  all,
  type AttentionStrategy,
  createAttention,
  defineStrategy,
  entriesOf,
  type KeptPlan,
  series,
  type Step,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { attendNext, outputOf } from './support/calls.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { normals } from './support/random.js';
import { bestPages, everyEntry, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const SMALL = { ...LAYER, pageSize: 3, queryChunk: 4, rollback: 50 };
const TOKENS = 10;
const text = new Text(60);
const inputs = text.slice(0, TOKENS);

/** A strategy that notes every step that it plans. */
function watched(inner: AttentionStrategy): { strategy: AttentionStrategy; steps: Step[] } {
  const steps: Step[] = [];
  const plan: AttentionStrategy['plan'] = (step) => {
    steps.push(step);
    return inner.plan(step);
  };
  return { strategy: { ...inner, plan }, steps };
}

/** Its plans name whatever a plan can: the caller's gates and query, entries of the index and of `plan` itself. */
const naming = (): AttentionStrategy =>
  defineStrategy({
    name: 'naming',
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    requires: { gates: { per: 'query', heads: 'heads', width: 3 } },
    index: (site) => ({ own: series(site, { input: 'keys' }) }),
    plan({ query, keys, aux: { gates }, index: { own }, ops }) {
      const parts = [{ values: keys, start: 0, length: 1 }];
      const copy = ops.pool({ kind: 'mean', parts, stride: 1, first: [0], count: keys.lengths[0] });
      return {
        branches: [
          { keys: own.rows, values: 'cache', selection: all },
          { keys: entriesOf(copy), values: 'cache', selection: all },
          { keys: 'cache', selection: all, query },
        ],
        gates,
      };
    },
  });

const gatesOf = (tokens: number): { gates: Float32Array } => ({
  gates: normals(4 * tokens * 3, tokens),
});

describe('a kept plan', () => {
  it('is there only when it is asked for, a chunk of queries at a time', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const [kept, plain] = [
        await layer.run({ ...inputs, keepPlan: true }),
        await layer.run(inputs),
      ];
      expect(plain.plan).toBeUndefined();
      expect(kept.plan!.chunks.map(({ positions }) => positions)).toEqual([
        { first: [0], counts: [4], tokens: 4 },
        { first: [4], counts: [4], tokens: 4 },
        { first: [8], counts: [2], tokens: 2 },
      ]);
      for (const result of [kept, plain]) result.dispose();
    }));

  it('gives the same output at the same positions, without the strategy', () =>
    leakFree(async (backend) => {
      const { strategy, steps } = watched(bestPages(2));
      const layer = createAttention({ ...SMALL, backend, strategy });
      const kept = await layer.run({ ...inputs, keepPlan: true });
      const { plan } = kept;
      const output = await kept.output.data();
      expect(steps).toHaveLength(3);
      expect(await outputOf(layer.run({ ...inputs, plan }))).toEqual(output);

      const sequence = layer.sequence();
      for (let time = 0; time < 2; time++) {
        expect(await outputOf(sequence.attend({ ...inputs, plan }))).toEqual(output);
        sequence.truncate(0);
      }
      expect(steps).toHaveLength(3);
      sequence.dispose();
      kept.dispose();
    }));

  it('serves another layer: its numbers, the entries of the first', () =>
    leakFree(async (backend) => {
      const first = createAttention({ ...SMALL, backend, strategy: bestPages(1) });
      const second = createAttention({ ...SMALL, backend, strategy: everyEntry() });
      const kept = await first.run({ ...inputs, keepPlan: true });
      const other = new Text(TOKENS, { seed: 9 }).slice(0, TOKENS);
      const reused = await second.run({ ...other, plan: kept.plan });
      const own = await first.run(inputs);
      expect((await reused.stats()).entriesRead).toBe((await own.stats()).entriesRead);
      expect(await reused.output.data()).not.toEqual(await own.output.data());
      for (const result of [kept, reused, own]) result.dispose();
    }));

  it('is refused at other positions, and changes nothing', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const kept = await layer.run({ ...inputs, keepPlan: true });
      const { plan } = kept;
      const mismatch = { name: 'PlanError', code: 'PLAN_MISMATCH' };
      const sequence = layer.sequence();
      await attendNext(sequence, text, 3);
      const before = backend.memory();

      await expect(sequence.attend({ ...inputs, plan })).rejects.toMatchObject(mismatch);
      const fewer = text.slice(0, TOKENS, 5);
      await expect(layer.run({ ...fewer, plan })).rejects.toMatchObject(mismatch);
      await expect(layer.run({ ...text.slice(0, 9), plan })).rejects.toMatchObject(mismatch);
      await expect(layer.run({ ...inputs, lengths: [9], plan })).rejects.toMatchObject(mismatch);
      const coarse = createAttention({ ...SMALL, queryChunk: 5, backend, strategy: bestPages(2) });
      await expect(coarse.run({ ...inputs, plan })).rejects.toThrowErrorMatchingInlineSnapshot(`
        [PlanError: run: expected the positions of the plan, 0+4, 4+4, 8+2, got 0+5, 5+5
          hint: a plan is repeated at its own positions and queryChunk; give it as \`from\` to let the strategy adapt it]
      `);

      expect(backend.memory()).toEqual(before);
      expect(sequence.length).toBe(3);
      sequence.dispose();
      kept.dispose();
    }));
});

describe('the life of a kept plan', () => {
  for (const queryChunk of [4, 64]) {
    it(`is that of everything it names, in chunks of ${queryChunk}: a run`, () =>
      leakFree(async (backend) => {
        const layer = createAttention({ ...SMALL, queryChunk, backend, strategy: naming() });
        const call = { ...inputs, aux: gatesOf(TOKENS) };
        const result = await layer.run({ ...call, keepPlan: true });
        const output = await result.output.data();
        const plan = result.plan!.retain();
        result.dispose();
        expect(await outputOf(layer.run({ ...call, plan }))).toEqual(output);
        plan.dispose();
      }));

    it(`is that of everything it names, in chunks of ${queryChunk}: a sequence`, () =>
      leakFree(async (backend) => {
        const layer = createAttention({ ...SMALL, queryChunk, backend, strategy: naming() });
        const sequence = layer.sequence();
        (await sequence.attend({ ...text.slice(0, 7), aux: gatesOf(7) })).dispose();
        const call = { ...text.slice(7, 17), aux: gatesOf(10) };
        const result = await sequence.attend({ ...call, keepPlan: true });
        const output = await result.output.data();
        const plan = result.plan!.retain();
        result.dispose();
        sequence.truncate(7);
        expect(await outputOf(sequence.attend({ ...call, plan }))).toEqual(output);
        plan.dispose();
        sequence.dispose();
      }));
  }

  it('ends with its last owner', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const result = await layer.run({ ...inputs, keepPlan: true });
      const plan = result.plan!;
      const held = backend.memory().tensors;
      plan.retain().retain();
      result.dispose();
      result.dispose();
      expect(plan.disposed).toBe(false);
      plan.dispose();
      expect(plan.disposed).toBe(false);
      const kept = backend.memory().tensors;
      expect(kept).toBeLessThan(held); // the output and the counters are gone
      plan.dispose();
      expect(plan.disposed).toBe(true);
      expect(backend.memory().tensors).toBeLessThan(kept);
      plan.dispose();
      expect(() => plan.retain()).toThrow(errorWith({ code: 'TENSOR_DISPOSED' }));
    }));

  it('is not longer than it need be for a plan that repeats it', () =>
    leakFree(async (backend) => {
      const layer = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const first = await layer.run({ ...inputs, keepPlan: true });
      const second = await layer.run({ ...inputs, plan: first.plan, keepPlan: true });
      first.dispose();
      expect(first.plan!.disposed).toBe(true);
      // The second plan names the tensors of the first, and has kept them.
      const third = await outputOf(layer.run({ ...inputs, plan: second.plan }));
      expect(third).toEqual(await second.output.data());
      second.dispose();
    }));
});

describe('an earlier plan given to the strategy', () => {
  it('comes as the chunk at the same positions, or the last one', () =>
    leakFree(async (backend) => {
      const { strategy, steps } = watched(bestPages(2));
      const layer = createAttention({ ...SMALL, backend, strategy });
      const kept = await layer.run({ ...inputs, keepPlan: true });
      const { chunks } = kept.plan!;
      expect(steps.splice(0).map(({ from }) => from)).toEqual([undefined, undefined, undefined]);

      (await layer.run({ ...inputs, from: kept.plan })).dispose();
      expect(steps.splice(0).map(({ from }) => from)).toEqual(chunks);

      const sequence = layer.sequence();
      await attendNext(sequence, text, TOKENS);
      steps.length = 0;
      (await sequence.attend({ ...text.slice(TOKENS, TOKENS + 1), from: kept.plan })).dispose();
      expect(steps[0].from).toBe(chunks[2]);
      sequence.dispose();
      kept.dispose();
    }));

  it('may be used in the new plan, which keeps what it names', () =>
    leakFree(async (backend) => {
      const again = planning(({ from }) => from!.plan);
      const first = createAttention({ ...SMALL, backend, strategy: bestPages(2) });
      const second = createAttention({ ...SMALL, backend, strategy: again });
      const kept = await first.run({ ...inputs, keepPlan: true });
      const output = await kept.output.data();
      const reused = await second.run({ ...inputs, from: kept.plan, keepPlan: true });
      kept.dispose();
      expect(await reused.output.data()).toEqual(output);
      expect(await outputOf(second.run({ ...inputs, plan: reused.plan }))).toEqual(output);
      reused.dispose();
    }));

  it('does not keep every step alive when plans are handed on from step to step', () =>
    leakFree(async (backend) => {
      const sequence = createAttention({ ...SMALL, backend, strategy: bestPages(2) }).sequence({
        capacity: 60,
      });
      let from: KeptPlan | undefined;
      const tensors = new Set<number>();
      for (let step = 0; step < 40; step++) {
        const result = await sequence.attend({
          ...text.slice(step, step + 1),
          from,
          keepPlan: true,
        });
        from?.dispose();
        from = result.plan!.retain();
        result.dispose();
        tensors.add(backend.memory().tensors);
      }
      expect(tensors.size).toBe(1);
      from?.dispose();
      sequence.dispose();
    }));

  it('keeps alive what a chain of plans goes on using, and no more', () =>
    leakFree(async (backend) => {
      // Selects once; every later step uses the first selection.
      const inner = bestPages(2);
      const reusing: AttentionStrategy = {
        ...inner,
        plan: (step) => step.from?.plan ?? inner.plan(step),
      };
      const sequence = createAttention({ ...SMALL, backend, strategy: reusing }).sequence({
        capacity: 60,
      });
      let from: KeptPlan | undefined;
      const tensors: number[] = [];
      for (let step = 0; step < 20; step++) {
        const result = await sequence.attend({
          ...text.slice(step, step + 1),
          from,
          keepPlan: true,
        });
        from?.dispose();
        from = result.plan!.retain();
        result.dispose();
        tensors.push(backend.memory().tensors);
      }
      expect(new Set(tensors).size).toBe(1);
      from?.dispose();
      expect(backend.memory().tensors).toBe(tensors[0] - 2); // its ids and counts
      sequence.dispose();
    }));

  it('hands selections on by name, kept with the plan', () =>
    leakFree(async (backend) => {
      const inner = bestPages(2);
      const giving: AttentionStrategy = {
        ...inner,
        async plan(step) {
          const plan = await inner.plan(step);
          const [{ selection }] = plan.branches;
          if (selection.kind !== 'blocks') throw new Error('expected blocks');
          return {
            branches: [{ keys: 'cache', selection: all }],
            handoff: { selections: { selection } },
          };
        },
      };
      const taking = planning(({ from }) => ({
        branches: [{ keys: 'cache', selection: from!.plan.handoff!.selections!.selection }],
      }));
      const first = createAttention({ ...SMALL, backend, strategy: giving });
      const second = createAttention({ ...SMALL, backend, strategy: taking });
      const kept = await first.run({ ...inputs, keepPlan: true });
      const expected = createAttention({ ...SMALL, backend, strategy: inner });
      const output = await outputOf(second.run({ ...inputs, from: kept.plan }));
      expect(output).toEqual(await outputOf(expected.run(inputs)));
      kept.dispose();
    }));
});
