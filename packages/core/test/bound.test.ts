import { evaluate, fromQuery, type Interval, intervalsAt, mergeSpans } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { holds, whole } from './support/property.js';

const bounds = fc.oneof(whole(-3, 30), fc.record({ offset: whole(-30, 30), stride: whole(1, 5) }));
const intervals = fc.array(fc.tuple(bounds, bounds), { maxLength: 5 });

/** The entries of `[0, size)` that lie in a span. */
const entriesIn = (spans: readonly (readonly [number, number])[], size: number): number[] =>
  Array.from({ length: size }, (_, entry) => entry).filter((entry) =>
    spans.some(([start, end]) => start <= entry && entry < end),
  );

describe('evaluate', () => {
  it('is the number itself, or counts from the query', () => {
    expect(evaluate(7, 3)).toBe(7);
    expect(evaluate(fromQuery(), 9)).toBe(9);
    expect(evaluate(fromQuery(1), 9)).toBe(10);
    expect(evaluate(fromQuery(1, 4), 6)).toBe(1);
    expect(evaluate(fromQuery(1, 4), 7)).toBe(2);
  });

  it('rounds down below zero as well', () => {
    expect(evaluate(fromQuery(-8, 4), 3)).toBe(-2);
  });
});

describe('intervalsAt', () => {
  it('covers what any interval covers, clipped to what is visible', () =>
    holds(fc.tuple(intervals, whole(0, 30), whole(0, 30)), ([given, position, visible]) => {
      const evaluated = given.map(([start, end]): [number, number] => [
        evaluate(start, position),
        evaluate(end, position),
      ]);
      const spans = intervalsAt(given, position, visible);
      expect(entriesIn(spans, 40)).toEqual(entriesIn(evaluated, visible));
    }));

  it('gives ascending spans that neither overlap nor touch', () =>
    holds(fc.tuple(intervals, whole(0, 30), whole(0, 30)), ([given, position, visible]) => {
      const edges = intervalsAt(given, position, visible).flat();
      expect(edges).toEqual([...new Set(edges)].sort((a, b) => a - b));
    }));

  it('melts overlaps and neighbours, and leaves the intervals as they were', () => {
    const given: readonly Interval[] = [
      [4, fromQuery(1)],
      [0, 2],
      [2, 3],
      [6, 8],
    ];
    const copy = structuredClone(given);
    expect(intervalsAt(given, 9, 9)).toEqual([
      [0, 3],
      [4, 9],
    ]);
    expect(given).toEqual(copy);
  });

  it('is empty where nothing is visible', () => {
    expect(intervalsAt([[0, 5]], 3, 0)).toEqual([]);
  });
});

describe('mergeSpans', () => {
  it('keeps the longer of two spans with one start', () => {
    const spans = mergeSpans([
      [3, 4],
      [0, 9],
      [0, 2],
    ]);
    expect(spans).toEqual([[0, 9]]);
  });
});
