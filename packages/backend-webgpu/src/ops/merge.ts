import {
  assertRank,
  assertShape,
  inputError,
  type Ops,
  PlanError,
  type Tensor,
} from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, kernels, read, write } from '../device/kernel.js';
import type { Gpu } from '../gpu.js';
import type { Storage } from '../storage.js';
import { decoded } from './convert.js';
import { type Cut, cuts, runOf, type Rows, stretch } from './row-runs.js';

type Parts = Parameters<Ops['merge']>[0];
type Options = NonNullable<Parameters<Ops['merge']>[1]>;

/** Outputs that a kernel adds up: with the words, the weights and the sum they are the 8 buffers it may have. */
const ADDENDS = 5;

/** See `Ops.merge`: a weight for each part of each row, then the sum of the outputs. */
export function merge(gpu: Gpu, parts: Parts, options: Options): ReturnType<Ops['merge']> {
  check(parts, options);
  const { shape } = parts[0].output;
  const output = gpu.make(shape, 'f32');
  const logSumExp = gpu.make(shape.slice(0, 3), 'f32');
  const [rows, width] = [logSumExp.size, shape[3]];
  const floats = (tensor: Tensor, width: number): Rows => {
    return { at: decoded(gpu, tensor), dtype: 'f32', rows, width };
  };
  const { gates, sinkLogits } = options;
  const joined: Joined = {
    parts: parts.map((part) => floats(part.output, width)),
    logs: parts.map((part) => floats(part.logSumExp, 1)),
    output: floats(output, width),
    logSumExp: floats(logSumExp, 1),
    gates: gates && floats(gates, parts.length),
    sinks: sinkLogits && { at: decoded(gpu, sinkLogits), heads: shape[1], tokens: shape[2] },
  };
  for (const cut of cuts(gpu, rows, 4 * Math.max(width, parts.length))) join(gpu, joined, cut);
  return { output, logSumExp };
}

/** Rows of floats: of an output, or of one log-sum-exp, or of a gate a part. */
interface Joined {
  readonly parts: readonly Rows[];
  readonly logs: readonly Rows[];
  readonly output: Rows;
  readonly logSumExp: Rows;
  readonly gates: Rows | undefined;
  readonly sinks: { at: Storage; heads: number; tokens: number } | undefined;
}

function join(gpu: Gpu, joined: Joined, cut: Cut): void {
  const { parts, output } = joined;
  const weights = weigh(gpu, joined, cut);
  const wide = output.width % 4 === 0 ? 4 : 1;
  const sum = runOf(gpu, output, cut);
  for (let first = 0; first < parts.length; first += ADDENDS) {
    const runs = parts.slice(first, first + ADDENDS).map((part) => runOf(gpu, part, cut));
    const items = (sum.rows * output.width) / wide;
    gpu.run(adding(runs.length, first > 0, wide), {
      words: [
        ...[items, output.width / wide, sum.rows, first],
        ...[sum, ...runs].map(({ skip }) => skip / wide),
      ],
      buffers: [weights, sum.at, ...runs.map(({ at }) => at)],
      groups: Math.ceil(items / DEFAULT_THREADS),
    });
  }
}

function check(parts: Parts, { gates, sinkLogits }: Options): void {
  if (parts.length === 0) throw inputError('merge', 'at least one part', 'none');
  if (gates && sinkLogits)
    throw new PlanError('merge: expected gates or sinkLogits, got both', { code: 'PLAN_INVALID' });
  assertRank('merge: output', parts[0].output, 4);
  const { shape } = parts[0].output;
  for (const { output, logSumExp } of parts) {
    assertShape('merge: output', output, shape);
    assertShape('merge: logSumExp', logSumExp, shape.slice(0, 3));
  }
  if (gates) assertShape('merge: gates', gates, [...shape.slice(0, 3), parts.length]);
  if (sinkLogits) assertShape('merge: sinkLogits', sinkLogits, [shape[1]]);
}

/** `[parts][rows]`, what each part counts; 0 where it reads nothing. Writes the log-sum-exps of all together. */
function weigh(gpu: Gpu, { logs, logSumExp, gates, sinks }: Joined, cut: Cut): Storage {
  const together = runOf(gpu, logSumExp, cut);
  const bytes = 4 * together.rows;
  const [gathered, weights] = [0, 1].map(() => gpu.scratch(logs.length * bytes));
  logs.forEach((log, i) => {
    gpu.copy(stretch(log.at, 4 * cut[0], bytes), stretch(gathered, i * bytes, bytes));
  });
  const others = gates ? runOf(gpu, gates, cut) : sinks && { at: sinks.at, skip: 0 };
  gpu.run(weighing(gates ? 'gates' : sinks ? 'sinks' : 'softmax'), {
    words: [
      ...[together.rows, logs.length, together.skip, others?.skip ?? 0],
      ...[cut[0], sinks?.heads ?? 1, sinks?.tokens ?? 1],
    ],
    buffers: [gathered, together.at, weights, ...(others ? [others.at] : [])],
    groups: Math.ceil(together.rows / DEFAULT_THREADS),
  });
  return weights;
}

/** Infinities are known by their bits: arithmetic on them may be anything in WGSL. */
const weighing = kernels((how: 'softmax' | 'sinks' | 'gates') =>
  kernel({
    name: `merge: ${how}`,
    buffers: {
      ...{ logs: read('f32'), log_sum_exp: write('u32'), weights: write('f32') },
      ...(how !== 'softmax' && { others: read('f32') }),
    },
    declarations: /* wgsl */ `
const NOTHING = 0xff800000u; // -Infinity
fn is_nothing(log: f32) -> bool { return bitcast<u32>(log) == NOTHING; }
fn larger(a: f32, b: f32) -> f32 { return select(a, b, is_nothing(a) || (!is_nothing(b) && b > a)); }
// e^(log - most); the largest, be it infinite, is 1.
fn share(log: f32, most: f32) -> f32 {
  if (is_nothing(log)) { return 0.0; }
  return select(exp(log - most), 1.0, log == most);
}`,
    body: /* wgsl */ `
  let rows = u32(words[1]);
  let parts = u32(words[2]);
  if (item >= rows) { return; }
  var most = logs[item];
  for (var i = 1u; i < parts; i++) { most = larger(most, logs[i * rows + item]); }
  var sum = 0.0;
  for (var i = 0u; i < parts; i++) { sum += share(logs[i * rows + item], most); }
  log_sum_exp[u32(words[3]) + item] =
    select(bitcast<u32>(most + log(sum)), NOTHING, is_nothing(most));
  ${how === 'sinks' ? ADDS_SINK : ''}
  for (var i = 0u; i < parts; i++) {
    let log = logs[i * rows + item];
    let weight = ${how === 'gates' ? 'others[u32(words[4]) + item * parts + i]' : 'share(log, most) / sum'};
    weights[i * rows + item] = select(weight, 0.0, is_nothing(log));
  }`,
  }),
);

const ADDS_SINK = /* wgsl */ `
  let sink = others[(u32(words[5]) + item) / u32(words[7]) % u32(words[6])];
  sum *= share(most, larger(most, sink));
  most = larger(most, sink);
  sum += share(sink, most);`;

/** Adds weighted outputs, four numbers of a row at a time where it has whole vectors. */
const adding = kernels((count: number, more: boolean, wide: 1 | 4) => {
  const type = wide === 4 ? 'vec4f' : 'f32';
  const parts = Array.from({ length: count }, (_, i) => i);
  const terms = parts.map(
    (i) => `weight = weights[(u32(words[4]) + ${i}) * u32(words[3]) + row];
  if (weight != 0) { sum += weight * part${i}[u32(words[${6 + i}]) + item]; }`,
  );
  return kernel({
    name: 'merge: add',
    buffers: {
      ...{ weights: read('f32'), output: write(type) },
      ...Object.fromEntries(parts.map((i) => [`part${i}`, read(type)])),
    },
    body: /* wgsl */ `
  if (item >= u32(words[1])) { return; }
  let row = item / u32(words[2]);
  let to = u32(words[5]) + item;
  var sum = ${more ? 'output[to]' : `${type}()`};
  // What reads nothing has no say, whatever it holds.
  var weight = 0.0;
  ${terms.join('\n  ')}
  output[to] = sum;`,
  });
});
