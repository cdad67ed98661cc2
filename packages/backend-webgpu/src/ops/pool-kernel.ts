import type { DType, PoolRequest } from '@jit-attention/core';

import { kernel, type Kernel, kernels, read, write } from '../device/kernel.js';
import { LAYOUT } from '../wgsl/layout.js';
import { rowReader } from '../wgsl/rows.js';

export interface Pooled {
  /** Of the buffers that the parts lie in. */
  readonly dtypes: readonly DType[];
  /** For each part the number of its buffer, and of that of its logits. */
  readonly parts: readonly (readonly number[])[];
}

/** The kernel that reduces groups; a thread makes `wide` channels of a row. */
export function poolKernel(
  kind: PoolRequest['kind'],
  wide: 1 | 4,
  { dtypes, parts }: Pooled,
): Kernel {
  return pooling(kind, wide, dtypes.join(), parts.map((part) => part.join(':')).join());
}

const pooling = kernels((kind: PoolRequest['kind'], wide: 1 | 4, buffers: string, of: string) => {
  const dtypes = buffers.split(',') as DType[];
  const parts = of.split(',').map((part) => part.split(':'));
  const type = wide === 4 ? 'vec4f' : 'f32';
  return kernel({
    name: `pool: ${kind}`,
    buffers: {
      ...Object.fromEntries(dtypes.map((_, i) => [`source${i}`, read('u32')])),
      output: write(type),
    },
    declarations: `alias Numbers = ${type};
alias Bits = ${wide === 4 ? 'vec4u' : 'u32'};
${LAYOUT}${CALL}
${dtypes.map((dtype, i) => rowReader(`source${i}`, dtype) + reader(i, wide)).join('')}`,
    body: /* wgsl */ `
  if (item >= call(ITEMS)) { return; }
  let d = item % call(OUT_WIDTH);
  let group_number = call(CHUNK_FIRST) + item / call(OUT_WIDTH) % call(CHUNK);
  let heads_before = item / call(OUT_WIDTH) / call(CHUNK);
  let row = i32(heads_before / call(HEADS));
  let head = i32(heads_before % call(HEADS));
  let to = heads_before * call(COUNT) + group_number - call(FIRST_ROW);
  if (to >= call(ROWS)) { return; } // of another run
  let group_start = i32(call(STRIDE)) * (words[i32(call(FIRST)) + row] + i32(group_number));
  ${kind === 'concat' ? concat(parts) : reduce(parts, REDUCTIONS[kind])}
  output[call(SKIP) + to * call(OUT_WIDTH) + d] = result;`,
  });
});

/** Widths and channels are in units of what a thread makes. */
const CALL = /* wgsl */ `
const ITEMS = 0; const OUT_WIDTH = 1; const WIDTH = 2; const HEADS = 3; const COUNT = 4;
const CHUNK_FIRST = 5; const CHUNK = 6; const STRIDE = 7; const FIRST = 8;
const FIRST_ROW = 9; const ROWS = 10; const SKIP = 11;
fn call(at: i32) -> u32 { return u32(words[words[1] + at]); }

// Where the words of a part are: [start, length, values, logits], of which the latter [entries, base, low, channel].
fn part(i: i32) -> i32 { return words[1] + 12 + 10 * i; }
fn is_present(part: i32, row: i32, n: i32) -> bool {
  return n >= 0 && n < entries_length(words[part + 2], row);
}
`;

/** WGSL of a function that reads numbers `d` of entry n from buffer i; \`source\`: where its words are. */
const reader = (i: number, wide: 1 | 4): string => /* wgsl */ `
fn read_${i}(source: i32, row: i32, head: i32, n: i32, d: u32) -> Numbers {
  let stored = n - words[words[source + 2] + row];
  let at = u32(words[source + 1]) + entry_at(words[source], row, head, stored);
  return source${i}_${wide === 4 ? '4' : 'at'}(at, u32(words[source + 3]) + ${wide}u * d);
}
`;

interface Reduction {
  /** WGSL before the first row, for each \`value\` and its \`logit\`, and of what comes out. */
  readonly start: string;
  readonly add: string;
  readonly result: string;
}

const least = (name: 'min' | 'max'): Reduction => ({
  start: 'var any = false; var best = Numbers();',
  add: `best = select(value, ${name}(best, value), any); any = true;`,
  result: 'best',
});

const REDUCTIONS: Record<Exclude<PoolRequest['kind'], 'concat'>, Reduction> = {
  mean: {
    start: 'var sum = Numbers(); var count = 0.0;',
    add: 'sum += value; count += 1.0;',
    result: 'sum / max(count, 1.0)',
  },
  min: least('min'),
  max: least('max'),
  softmax: {
    // total: weights so far, as shares of the largest, which is 1; 0 before the first.
    start: 'var most = Numbers(); var total = Numbers(); var sum = Numbers();',
    add: /* wgsl */ `
    let is_first = total == Numbers();
    let is_nothing = bitcast<Bits>(logit) == Bits(0xff800000u); // -Infinity
    let next = select(max(most, logit), logit, is_first);
    let kept = select(exp(most - next), Numbers(), is_first);
    let weight = exp(logit - next);
    most = select(next, most, is_nothing);
    total = select(total * kept + weight, total, is_nothing);
    sum = select(sum * kept + weight * value, sum, is_nothing);`,
    result: 'select(sum / total, Numbers(), total == Numbers())',
  },
};

/** Goes through the rows of a group, part by part. */
function reduce(parts: readonly string[][], { start, add, result }: Reduction): string {
  const loops = parts.map(
    ([values, logits], i) => /* wgsl */ `
  for (var j = 0; j < words[part(${i}) + 1]; j++) {
    let n = group_start + words[part(${i})] + j;
    if (!is_present(part(${i}), row, n)) { continue; }
    let value = read_${values}(part(${i}) + 2, row, head, n, d);
    ${logits === undefined ? '' : `let logit = read_${logits}(part(${i}) + 6, row, head, n, d);`}
    ${add}
  }`,
  );
  return `${start}${loops.join('')}
  let result = ${result};`;
}

/** Number d is of one row of one part. */
function concat(parts: readonly string[][]): string {
  const takes = parts.map(
    ([values], i) => /* wgsl */ `
  if (j >= 0 && j < words[part(${i}) + 1]) {
    let n = group_start + words[part(${i})] + j;
    if (is_present(part(${i}), row, n)) {
      result = read_${values}(part(${i}) + 2, row, head, n, d % call(WIDTH));
    }
  }
  j -= words[part(${i}) + 1];`,
  );
  return `var result = Numbers();
  var j = i32(d / call(WIDTH));${takes.join('')}`;
}
