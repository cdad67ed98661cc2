import {
  all,
  type AttentionOptions,
  createAttention,
  fromQuery,
  ranges,
} from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { outputOf, runOnce } from './support/calls.js';
import { attention, expectClose, type SoftmaxOptions, upTo } from './support/formula.js';
import { leakFree } from './support/leaks.js';
import { holds, whole } from './support/property.js';
import { everyEntry, newest, planning } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const TOKENS = 9;
const stretch = { first: [0], counts: [TOKENS] };
const real = fc.double({ min: -4, max: 4, noNaN: true });
const cases = fc.record({
  seed: whole(1, 99),
  window: whole(1, TOKENS),
  queryChunk: whole(1, TOKENS),
  softcap: fc.option(fc.double({ min: 0.1, max: 5, noNaN: true }), { nil: undefined }),
  sinkLogits: fc.option(fc.array(real, { minLength: 4, maxLength: 4 }), { nil: undefined }),
  scale: fc.option(fc.double({ min: 0.01, max: 2, noNaN: true }), { nil: undefined }),
});

describe('the softmax', () => {
  it('follows the formula: scale, softcap, and sink logits that are f32, unscaled and one a query head', () =>
    holds(cases, ({ seed, window, queryChunk, ...softmax }) =>
      leakFree(async (backend) => {
        const text = new Text(TOKENS, { seed });
        const given = Object.entries(softmax).filter(([, value]) => value !== undefined);
        const options = Object.fromEntries(given) as SoftmaxOptions;
        const layer = createAttention({
          ...LAYER,
          queryChunk,
          backend,
          strategy: newest(window),
          ...options,
        });
        const output = await runOnce(layer, text, stretch);
        const sinkLogits = options.sinkLogits && [...Float32Array.from(options.sinkLogits)];
        const reads = (_: number, position: number): number[] =>
          upTo(position + 1, position + 1 - window);
        expectClose(
          output,
          attention(text, stretch, reads, { ...options, ...(sinkLogits ? { sinkLogits } : {}) }),
        );
      }),
    ));

  it('is one for all branches of a plan', () =>
    leakFree(async (backend) => {
      const text = new Text(TOKENS);
      const options = { ...LAYER, backend, softcap: 1.5, sinkLogits: [1, -1, 0, 2] };
      const split = planning(() => ({
        branches: [
          { keys: 'cache', selection: ranges([0, 3]) },
          { keys: 'cache', selection: ranges([3, fromQuery(1)]) },
        ],
      }));
      const one = await runOnce(
        createAttention({ ...options, strategy: everyEntry() }),
        text,
        stretch,
      );
      const two = await runOnce(createAttention({ ...options, strategy: split }), text, stretch);
      expectClose(two, one);
    }));

  it('is one a branch where there are gates', () =>
    leakFree(async (backend) => {
      const text = new Text(TOKENS);
      const gates = Float32Array.from({ length: 4 * TOKENS * 2 }, (_, i) => (i % 5) / 3 - 0.5);
      const strategy = planning(
        ({ aux }) => ({
          branches: [
            { keys: 'cache', selection: all },
            { keys: 'cache', selection: ranges([fromQuery(-1), fromQuery(1)]) },
          ],
          gates: aux.gates,
        }),
        { requires: { gates: { per: 'query', heads: 'heads', width: 2 } } },
      );
      const layer = createAttention({ ...LAYER, queryChunk: 4, backend, strategy });
      const output = await runOnce(layer, text, stretch, { aux: { gates } });
      const far = attention(text, stretch, (_, position) => upTo(position + 1));
      const near = attention(text, stretch, (_, position) => upTo(position + 1, position - 1));
      const expected = far.map((value, i) => {
        const at = Math.floor(i / LAYER.valueDim) * 2;
        return gates[at] * value + gates[at + 1] * near[i];
      });
      expectClose(output, expected);
    }));

  it('has no place for both gates and sink logits', () =>
    leakFree(async (backend) => {
      const strategy = planning(
        ({ aux: { gates } }) => ({ branches: [{ keys: 'cache', selection: all }], gates }),
        {
          requires: { gates: { per: 'query', heads: 'heads', width: 1 } },
        },
      );
      const sinkLogits = [0, 0, 0, 0];
      const layer = createAttention({ ...LAYER, backend, strategy, sinkLogits });
      const call = layer.run({ ...new Text(2).slice(0, 2), aux: { gates: new Float32Array(8) } });
      await expect(call).rejects.toThrowErrorMatchingInlineSnapshot(
        `[PlanError: run: planning: expected sinkLogits in one softmax, got a plan with gates]`,
      );
    }));

  it('gives the sinks no say where there is nothing to read', () =>
    leakFree(async (backend) => {
      const strategy = planning(() => ({ branches: [{ keys: 'cache', selection: ranges() }] }));
      const layer = createAttention({ ...LAYER, backend, strategy, sinkLogits: [5, -5, 0, 80] });
      const output = await outputOf(layer.run(new Text(2).slice(0, 2)));
      expect(output.every((value) => value === 0)).toBe(true);
    }));

  it('keeps the sink logits it was given, whatever becomes of the array', () =>
    leakFree(async (backend) => {
      const sinkLogits: AttentionOptions['sinkLogits'] = Float32Array.of(1, 2, 3, 4);
      const options = { ...LAYER, backend, strategy: everyEntry() };
      const layer = createAttention({ ...options, sinkLogits });
      sinkLogits.fill(100);
      const fresh = createAttention({ ...options, sinkLogits: [1, 2, 3, 4] });
      const text = new Text(3);
      const three = { first: [0], counts: [3] };
      expect(await runOnce(layer, text, three)).toEqual(await runOnce(fresh, text, three));
    }));
});
