import { nextTask, pointer, word } from './layout';
import { madd } from './simd';

/**
 * Kernel: joins the outputs of branches, see core's `Ops.merge`. A part is `[output, logSumExp]`.
 * [next, total, rows of a task, rows, width, parts, pointer to parts, gates or 0, sinkLogits or 0, heads, tokens,
 * output, logSumExp]
 */
export function mergeParts(desc: usize): void {
  const share = word(desc, 2);
  const rows = word(desc, 3);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(rows, (task + 1) * share);
    for (let row = task * share; row < end; row++) mergeRow(desc, row);
  }
}

function mergeRow(desc: usize, row: i32): void {
  const count = word(desc, 5);
  const width = word(desc, 4);
  const gates = pointer(desc, 7);
  const own = mostOf(desc, row, -Infinity);
  const logSum = own + Math.log(sumOf(desc, row, -Infinity, own));
  store<f32>(pointer(desc, 12) + ((<usize>row) << 2), <f32>logSum);
  const sink = sinkOf(desc, row);
  const most = mostOf(desc, row, sink);
  const sum = sumOf(desc, row, sink, most);
  const output = pointer(desc, 11) + <usize>row * (width << 2);
  memory.fill(output, 0, width << 2);
  for (let i = 0; i < count; i++) {
    const log = logOf(desc, i, row);
    if (log === -Infinity) continue; // An empty part has no say, whatever it and its gate hold.
    const gate = gates + ((<usize>row * count + i) << 2);
    const weight = gates ? load<f32>(gate) : <f32>(shareOf(log, most) / sum);
    addScaled(pointer(partAt(desc, i), 0) + <usize>row * (width << 2), weight, width, output);
  }
}

function partAt(desc: usize, i: i32): usize {
  return pointer(desc, 6) + (i << 3);
}

function logOf(desc: usize, i: i32, row: i32): f64 {
  return <f64>load<f32>(pointer(partAt(desc, i), 1) + ((<usize>row) << 2));
}

function sinkOf(desc: usize, row: i32): f64 {
  const sinks = pointer(desc, 8);
  if (!sinks) return -Infinity;
  return <f64>load<f32>(sinks + (((row / word(desc, 10)) % word(desc, 9)) << 2));
}

/** The largest log of the parts and one more. */
function mostOf(desc: usize, row: i32, other: f64): f64 {
  const count = word(desc, 5);
  let most = other;
  for (let i = 0; i < count; i++) most = max<f64>(most, logOf(desc, i, row));
  return most;
}

/** Σ e^(log - most) over the same. */
function sumOf(desc: usize, row: i32, other: f64, most: f64): f64 {
  const count = word(desc, 5);
  let sum = shareOf(other, most);
  for (let i = 0; i < count; i++) sum += shareOf(logOf(desc, i, row), most);
  return sum;
}

/** The largest is 1, be it infinite. */
function shareOf(log: f64, most: f64): f64 {
  if (log === -Infinity) return 0;
  return log === most ? 1 : Math.exp(log - most);
}

function addScaled(source: usize, factor: f32, width: i32, target: usize): void {
  const factors = f32x4.splat(factor);
  const whole = width & ~3;
  for (let i = 0; i < whole; i += 4) {
    const at = i << 2;
    v128.store(target + at, madd(factors, v128.load(source + at), v128.load(target + at)));
  }
  for (let i = whole; i < width; i++) {
    const at = target + (i << 2);
    store<f32>(at, load<f32>(at) + factor * load<f32>(source + (i << 2)));
  }
}
