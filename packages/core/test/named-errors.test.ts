import {
  audit,
  type AttentionStrategy,
  createAttention,
  type Plan,
  reference,
  type Step,
  type StepOps,
  union,
} from '@jit-attention/core';
import { describe, expect, it } from 'vitest';

import { outputOf } from './support/calls.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { everyEntry, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const text = new Text(5);
const layer = createAttention({ ...LAYER, backend: reference(), strategy: everyEntry() });
const invalid = errorWith({ name: 'InputError', code: 'INVALID_OPTION' });
const supports = { exact: true, sync: true };
const incomplete = [undefined, null, {}, everyEntry, { ...everyEntry(), supports: undefined }];

describe('what JavaScript lets through is refused by name', () => {
  it.each([...incomplete, { ...everyEntry(), supports }, { ...everyEntry(), name: 1 }])(
    'no strategy: %s',
    (given) => {
      const strategy = given as AttentionStrategy;
      expect(() => createAttention({ ...LAYER, backend: reference(), strategy })).toThrow(invalid);
      expect(() => audit(strategy)).toThrow(invalid);
      expect(() => union(strategy, everyEntry())).toThrow(invalid);
      expect(() => union(everyEntry(), strategy)).toThrow(invalid);
    },
  );

  it.each([{ seed: NaN }, { seed: 0.5 }, { onMiss: 5 }, { onReport: 'log' }, { sample: '1' }])(
    'options of an audit: %o',
    (options) => {
      expect(() => audit(everyEntry(), options as never)).toThrow(invalid);
    },
  );

  it.each([
    { plan: {} },
    { plan: null },
    { from: {} },
    { from: { chunks: [] } },
    { aux: { typo: new Float32Array(5) } },
    { aux: 5 },
    { lengths: 5 },
    { lengths: null },
  ])('inputs of a call: %o', async (given) => {
    const inputs = { ...text.slice(0, 5), ...given } as never;
    await expect(layer.run(inputs)).rejects.toThrow(invalid);
    const sequence = layer.sequence();
    await expect(sequence.attend(inputs)).rejects.toThrow(invalid);
    expect(sequence.length).toBe(0);
    sequence.dispose();
  });

  it('options of a sequence, and where to truncate', () => {
    expect(() => layer.sequence(null as never)).toThrow(invalid);
    const sequence = layer.sequence();
    for (const length of [undefined, null, 'all', 1.5, [1, 2], [undefined]])
      expect(() => sequence.truncate(length as never)).toThrow(invalid);
    sequence.dispose();
  });

  it('says what came as lengths', async () => {
    const call = layer.run({ ...text.slice(0, 5), lengths: 5 as never });
    await expect(call).rejects.toThrowErrorMatchingInlineSnapshot(
      `[InputError: run: expected lengths to be an array, got 5]`,
    );
  });

  const cache = { keys: 'cache' };
  it.each([
    { branches: {} },
    { branches: [null] },
    { branches: [{}] },
    { branches: [cache] },
    { branches: [{ ...cache, selection: { kind: 'ranges' } }] },
    { branches: [{ ...cache, selection: { kind: 'ranges', ranges: [0, 1] } }] },
    { branches: [{ ...cache, selection: { kind: 'tokens', queryBlock: 1 } }] },
    { branches: [{ ...cache, selection: { kind: 'united' } }] },
    { branches: [{ ...cache, selection: { kind: 'all' }, query: {} }] },
    { branches: [{ ...cache, selection: { kind: 'all' } }], gates: {} },
  ])('a plan: %o', (plan) =>
    leakFree(async (backend) => {
      const strategy = planning(() => plan as never);
      const call = createAttention({ ...LAYER, backend, strategy }).run(text.slice(0, 5));
      await expect(call).rejects.toMatchObject({ name: 'PlanError', code: 'PLAN_INVALID' });
    }),
  );
});

it('an instance of a class is audited, and keeps its methods', () =>
  leakFree(async (backend) => {
    class Inherits implements AttentionStrategy {
      readonly name = 'inherits';
      readonly apiVersion = 1;
      readonly supports = { ...supports, bidirectional: true };
      readonly #ops: StepOps[] = [];

      plan(step: Step): Plan {
        this.#ops.push(step.ops);
        return { branches: [{ keys: 'cache', selection: { kind: 'all' } }] };
      }
    }
    const strategy = audit(new Inherits(), { sample: 1 });
    const result = await createAttention({ ...LAYER, backend, strategy }).run(text.slice(0, 5));
    expect((await result.stats()).recall!.min).toBe(1);
    await outputOf(result);
  }));
