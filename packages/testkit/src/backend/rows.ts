import fc from 'fast-check';

import type { Runner } from '../runner.js';
import { type ArrayCase, arrays, numbersOf } from './arrays.js';
import { agree, Bench } from './bench.js';
import { type BackendSuite, property } from './suite.js';

const optional = fc.boolean();

/** Transforms of the last axis: `linear`, `norm`, `rotary`, `hadamard`, `quantise`. */
export function testRows(runner: Runner, suite: BackendSuite): void {
  runner.describe(`${suite.name}: rows`, () => {
    testLinear(runner, suite);
    testNorm(runner, suite);
    testRotary(runner, suite);
    testHadamard(runner, suite);
    testQuantise(runner, suite);
  });
}

function testLinear(runner: Runner, suite: BackendSuite): void {
  const options = fc.record({
    out: fc.integer({ min: 1, max: 40 }),
    bias: fc.constantFrom('none' as const, 'one' as const, 'by head' as const),
    activation: fc.constantFrom(undefined, 'relu' as const, 'silu' as const, 'sigmoid' as const),
  });
  property(runner, suite, 'linear', [arrays(), options], (backend, one, options) => {
    const { out, activation } = options;
    const [, heads, , width] = one.shape;
    const biases = { none: undefined, one: [out], 'by head': [heads, out] }[options.bias];
    return agree(
      backend,
      (bench) => {
        const weight = bench.tensor(numbersOf(one, 'weight', [out, width]));
        const bias = biases && bench.tensor(numbersOf(one, 'bias', biases));
        return { linear: bench.backend.linear(inputOn(bench, one), { weight, bias, activation }) };
      },
      suite.tolerance.f32,
    );
  });
}

function testNorm(runner: Runner, suite: BackendSuite): void {
  const options = fc.record({
    kind: fc.constantFrom('rms' as const, 'layer' as const),
    eps: fc.constantFrom(1e-6, 1e-5),
    weight: optional,
    bias: optional,
  });
  property(runner, suite, 'norm', [arrays(), options], (backend, one, options) => {
    const { kind, eps } = options;
    const part = (bench: Bench, name: 'weight' | 'bias') =>
      options[name] ? bench.tensor(numbersOf(one, name, [one.shape[3]])) : undefined;
    return agree(
      backend,
      (bench) => {
        const [weight, bias] = [part(bench, 'weight'), part(bench, 'bias')];
        return { norm: bench.backend.norm(inputOn(bench, one), { kind, eps, weight, bias }) };
      },
      suite.tolerance.f32,
    );
  });
}

/** Positions as far as long contexts go: angles must be better than f32. */
function testRotary(runner: Runner, suite: BackendSuite): void {
  const options = fc.record({
    first: fc.integer({ min: 0, max: 200_000 }),
    step: fc.constantFrom(undefined, 4, 128),
    interleaved: optional,
    trailing: optional,
  });
  const even = fc.integer({ min: 2, max: 36 }).map((half) => 2 * half);
  property(runner, suite, 'rotary', [arrays(even), options], (backend, one, options) => {
    const { step, interleaved, trailing } = options;
    const [batch, , , width] = one.shape;
    const start = trailing ? 2 * Math.floor(width / 4) : 0;
    const frequencies = Array.from(
      { length: (width - start) / 2 },
      (_, i) => 10_000 ** (-i / (width - start)),
    );
    const first = Array.from({ length: batch }, (_, row) => options.first + 17 * row);
    const channels = trailing ? ([start, width] as const) : undefined;
    return agree(
      backend,
      (bench) => ({
        rotary: bench.backend.rotary(inputOn(bench, one), {
          ...{ frequencies, first, step, channels, interleaved },
        }),
      }),
      suite.tolerance.f32,
    );
  });
}

function testHadamard(runner: Runner, suite: BackendSuite): void {
  const powers = fc.integer({ min: 0, max: 9 }).map((power) => 2 ** power);
  property(runner, suite, 'hadamard', [arrays(powers)], (backend, one) =>
    agree(
      backend,
      (bench) => ({ hadamard: bench.backend.hadamard(inputOn(bench, one)) }),
      suite.tolerance.f32,
    ),
  );
}

/** Which side of a half a number falls is the arithmetic's business: the decoded rows are held to the grid. */
function testQuantise(runner: Runner, suite: BackendSuite): void {
  const options = fc.record({
    bits: fc.constantFrom(4 as const, 8 as const),
    range: fc.constantFrom('absmax' as const, 'minmax' as const),
  });
  property(runner, suite, 'quantise', [arrays(), options], async (backend, one, options) => {
    const bench = new Bench(backend);
    const input = numbersOf(one, 'x', one.shape);
    const decoded = bench.keep(backend.quantise(bench.tensor(input), options));
    const { data } = { data: await decoded.data() };
    const width = one.shape[3];
    for (let at = 0; at < data.length; at += width) {
      const grid = gridOf(input.data.subarray(at, at + width), options);
      assertOnGrid(data.subarray(at, at + width), input.data.subarray(at, at + width), grid);
    }
    bench.clear();
  });
}

function inputOn(bench: Bench, one: ArrayCase) {
  return bench.tensor(numbersOf(one, 'x', one.shape));
}

interface Grid {
  readonly origin: number;
  readonly step: number;
}

function gridOf(
  row: Float32Array,
  { bits, range }: { bits: number; range: 'absmax' | 'minmax' },
): Grid {
  const [min, max] = [Math.min(...row), Math.max(...row)];
  return range === 'absmax'
    ? { origin: 0, step: Math.max(max, -min) / (2 ** (bits - 1) - 1) }
    : { origin: min, step: (max - min) / (2 ** bits - 1) };
}

/** Each decoded number is a whole number of steps from the origin, and the nearest such to its original. */
function assertOnGrid(decoded: Float32Array, row: Float32Array, { origin, step }: Grid): void {
  decoded.forEach((value, d) => {
    const slack = 1e-5 * Math.max(1, Math.abs(row[d]));
    const steps = step === 0 ? 0 : Math.round((value - origin) / step);
    const isOn = Math.abs(origin + steps * step - value) <= slack;
    const isNear = Math.abs(value - row[d]) <= step / 2 + slack;
    if (isOn && isNear) return;
    throw new Error(`channel ${d}: expected ${row[d]} on a grid of ${step}, got ${value}`);
  });
}
