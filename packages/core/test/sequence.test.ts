import { createAttention } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { attendNext, attendRows, outputOf } from './support/calls.js';
import { attention, everything, expectClose, upTo } from './support/formula.js';
import { errorWith } from './support/errors.js';
import { leakFree } from './support/leaks.js';
import { holds, oneOf, whole } from './support/property.js';
import { bestPages, everyEntry, newest } from './support/strategies.js';
import { LAYER, Text } from './support/text.js';

const SMALL = { ...LAYER, pageSize: 4, queryChunk: 5, rollback: 6 };
const strategies = [everyEntry, () => newest(5), () => bestPages(2)];

describe('a sequence', () => {
  it('attends causally over everything so far: unequal rows, several calls, few queries', () => {
    const call = fc.record({ counts: fc.tuple(whole(0, 9), whole(0, 9)), few: whole(1, 10) });
    const pages = fc.record({ pageSize: whole(1, 6), queryChunk: whole(1, 7) });
    return holds(
      fc.tuple(fc.array(call, { minLength: 1, maxLength: 5 }), pages),
      ([calls, sizes]) =>
        leakFree(async (backend) => {
          const text = new Text(50, { batch: 2 });
          const layer = createAttention({ ...LAYER, ...sizes, backend, strategy: everyEntry() });
          const sequence = layer.sequence({ batch: 2 });
          for (const { counts, few } of calls) {
            const queries = Math.min(few, Math.max(1, ...counts));
            const first = sequence.lengths;
            const output = await attendRows(sequence, text, counts, queries);
            expectClose(output, attention(text, { first, counts, queries }, everything));
          }
          sequence.dispose();
        }),
    );
  });

  it('gives the same, however the tokens are cut into calls', () =>
    holds(
      fc.record({
        make: oneOf(...strategies),
        cuts: fc.array(whole(1, 12), { minLength: 1, maxLength: 6 }),
        layer: fc.record({ pageSize: whole(1, 6), queryChunk: whole(1, 9), rollback: whole(0, 8) }),
      }),
      ({ make, cuts, layer }) =>
        leakFree(async (backend) => {
          const tokens = cuts.reduce((a, b) => a + b);
          const text = new Text(tokens);
          const attention = createAttention({ ...LAYER, ...layer, backend, strategy: make() });
          const [cut, single] = [attention.sequence(), attention.sequence()];
          for (const count of cuts) {
            const output = await attendNext(cut, text, count);
            const width = LAYER.valueDim * count;
            for (let t = 0; t < count; t++) {
              const one = await attendNext(single, text, 1);
              for (let head = 0; head < LAYER.heads; head++) {
                const start = head * width + t * LAYER.valueDim;
                const its = output.subarray(start, start + LAYER.valueDim);
                expect(its).toEqual(one.subarray(head * 3, head * 3 + 3));
              }
            }
          }
          for (const sequence of [cut, single]) sequence.dispose();
        }),
    ));

  it('knows its lengths and bytes', () =>
    leakFree(async (backend) => {
      const sequence = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence({
        batch: 2,
      });
      expect([sequence.length, sequence.lengths, sequence.bytes]).toEqual([0, [0, 0], 0]);
      await attendRows(sequence, new Text(9, { batch: 2 }), [9, 2]);
      expect([sequence.length, sequence.lengths]).toEqual([9, [9, 2]]);
      const page = 4 * LAYER.kvHeads * (LAYER.headDim + LAYER.valueDim) * 4;
      expect(sequence.bytes).toBe((3 + 1) * page);
      sequence.dispose();
    }));

  it('carries out calls in order when nobody waits between them', () =>
    leakFree(async (backend) => {
      const text = new Text(12);
      const layer = createAttention({ ...SMALL, backend, strategy: everyEntry() });
      const [eager, patient] = [layer.sequence(), layer.sequence()];
      const stretches = [text.slice(0, 7), text.slice(7, 8), text.slice(8, 12)];
      const outputs = await Promise.all(stretches.map((one) => outputOf(eager.attend(one))));
      for (const [i, one] of stretches.entries())
        expect(outputs[i]).toEqual(await outputOf(patient.attend(one)));
      for (const sequence of [eager, patient]) sequence.dispose();
    }));

  it('goes on after a call that failed, with those that waited behind it', () =>
    leakFree(async (backend) => {
      const text = new Text(6);
      const sequence = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence();
      const wrong = sequence.attend({ ...text.slice(0, 3), key: new Float32Array(1) });
      const right = outputOf(sequence.attend(text.slice(0, 3)));
      await expect(wrong).rejects.toMatchObject({ code: 'INVALID_SHAPE' });
      expectClose(await right, attention(text, { first: [0], counts: [3] }, everything));
      sequence.dispose();
    }));

  it('decodes in flat memory when the strategy lets old entries go', () =>
    leakFree(async (backend) => {
      const text = new Text(120);
      const sequence = createAttention({ ...SMALL, backend, strategy: newest(5) }).sequence();
      const bytes = new Set<number>();
      for (let position = 0; position < 120; position++) {
        const output = await attendNext(sequence, text, 1);
        if (position < 40) continue;
        bytes.add(backend.memory().bytes);
        const reads = upTo(position + 1, position - 4);
        expectClose(
          output,
          attention(text, { first: [position], counts: [1] }, () => reads),
        );
      }
      expect(bytes.size).toBe(1);
      sequence.dispose();
    }));
});

describe('the life of a sequence', () => {
  it('refuses to be changed while a call is under way', () =>
    leakFree(async (backend) => {
      const text = new Text(4);
      const sequence = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence();
      const running = outputOf(sequence.attend(text.slice(0, 4)));
      const busy = errorWith({
        name: 'LifetimeError',
        code: 'SEQUENCE_BUSY',
        actual: 1,
      });
      expect(() => sequence.truncate(0)).toThrow(busy);
      expect(() => sequence.fork()).toThrow(busy);
      expect(() => sequence.dispose()).toThrow(busy);
      await running;
      sequence.truncate(2);
      sequence.dispose();
    }));

  it('ends with dispose, which may be called twice', () =>
    leakFree(async (backend) => {
      const sequence = createAttention({ ...SMALL, backend, strategy: bestPages(2) }).sequence();
      await attendNext(sequence, new Text(9), 9);
      sequence.dispose();
      sequence.dispose();
      const gone = errorWith({
        name: 'LifetimeError',
        code: 'SEQUENCE_DISPOSED',
      });
      expect(() => sequence.truncate(0)).toThrow(gone);
      expect(() => sequence.fork()).toThrow(gone);
      await expect(sequence.attend(new Text(1).slice(0, 1))).rejects.toMatchObject({
        code: 'SEQUENCE_DISPOSED',
        expected: 'a live sequence',
      });
    }));

  it('can be left to `using`, where the host knows it', () =>
    leakFree(async (backend) => {
      const { dispose } = Symbol as { dispose?: symbol };
      if (!dispose) return;
      const sequence = createAttention({ ...SMALL, backend, strategy: everyEntry() }).sequence();
      const result = await sequence.attend(new Text(1).slice(0, 1));
      for (const one of [result, sequence])
        (one as unknown as Record<symbol, () => void>)[dispose]();
    }));

  it('has read its arrays when attend() returns, whether it starts at once or has to wait', () =>
    leakFree(async (backend) => {
      const text = new Text(9);
      const layer = createAttention({ ...LAYER, backend, strategy: everyEntry(), queryChunk: 2 });
      const [kept, refilled] = [layer.sequence(), layer.sequence()];
      const calls = [text.slice(0, 4), text.slice(4, 9)];
      const expected = [];
      for (const call of calls) expected.push(await outputOf(kept.attend(call)));

      const outputs = calls.map((call) => {
        const output = outputOf(refilled.attend(call));
        for (const numbers of [call.query, call.key, call.value]) numbers.fill(NaN);
        return output;
      });
      expect(await Promise.all(outputs)).toEqual(expected);
      for (const sequence of [kept, refilled]) sequence.dispose();
    }));
});
