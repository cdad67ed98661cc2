import { LANES } from '../lanes/block';
import { nextTask, pointer, word } from '../layout';
import { exp2Scalar } from '../simd';
import {
  BLOCKS,
  kvHeadsOf,
  LOG_SUM_EXP,
  OUTPUT,
  paddedOf,
  PARTIAL,
  queryRow,
  rowAt,
  rowsOf,
  SPLITS,
  stepOf,
  VALUE_DIM,
  groupOf,
} from './descriptor';
import {
  descOf,
  GATHERED,
  gatheredBytes,
  kvHeadOf,
  liveRows,
  rowOf,
  stateAt,
  stateBytes,
  takeBlock,
  tokenEnd,
  tokenOf,
} from './frame';

/** Normalises what the rows of a task have gathered. */
export function writeRows(frame: usize, gathered: usize, states: usize): void {
  const desc = descOf(frame);
  for (let r = 0; r < (tokenEnd(frame) - tokenOf(frame)) * groupOf(desc); r++) {
    const at = queryRow(desc, rowOf(frame), kvHeadOf(frame), tokenOf(frame), r);
    const state = stateAt(states, r);
    const largest = load<f32>(state);
    const sum = load<f32>(state, LANES);
    const read = r < liveRows(frame) && sum !== 0;
    const logSum = <f32>(<f64>largest * Math.LN2 + Math.log(<f64>sum));
    store<f32>(pointer(desc, LOG_SUM_EXP) + (at << 2), read ? logSum : -Infinity);
    writeRow(desc, rowAt(desc, gathered, paddedOf(desc), r), at, read ? <f32>1 / sum : 0);
  }
}

function writeRow(desc: usize, source: usize, at: i32, factor: f32): void {
  const width = word(desc, VALUE_DIM);
  const step = stepOf(desc);
  const target = pointer(desc, OUTPUT) + ((at * width) << 2);
  for (let d = 0; d < width; d++) {
    store<f32>(target + (d << 2), factor === 0 ? 0 : load<f32>(source) * factor);
    source += step;
  }
}

/** Bytes of `partial` for each block and split. */
export function partialBytes(desc: usize): usize {
  return gatheredBytes(desc) + stateBytes(desc);
}

function partialAt(frame: usize, block: i32, split: i32): usize {
  const desc = descOf(frame);
  const lane = rowOf(frame) * kvHeadsOf(desc) + kvHeadOf(frame);
  const index = (lane * word(desc, BLOCKS) + block) * word(desc, SPLITS) + split;
  return pointer(desc, PARTIAL) + index * <i32>partialBytes(desc);
}

/** Keeps what a split has gathered, state behind it, until all splits are there. */
export function storePartial(frame: usize, block: i32, split: i32): void {
  memory.copy(
    partialAt(frame, block, split),
    pointer(frame, GATHERED),
    partialBytes(descOf(frame)),
  );
}

/** Joins the splits of each block; a task is a block. Splits come in order, so that sums repeat exactly. */
export function attendJoin(desc: usize, frame: usize): void {
  store<u32>(frame, <u32>desc);
  const blocks = word(desc, BLOCKS);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const block = task % blocks;
    const lane = task / blocks;
    takeBlock(frame, lane / kvHeadsOf(desc), lane % kvHeadsOf(desc), block);
    const joint = partialAt(frame, block, 0);
    for (let split = 1; split < word(desc, SPLITS); split++) {
      addPartial(desc, joint, partialAt(frame, block, split));
    }
    writeRows(frame, joint, joint + gatheredBytes(desc));
  }
}

function addPartial(desc: usize, into: usize, from: usize): void {
  for (let r = 0; r < rowsOf(desc); r++) {
    const intoState = stateAt(into + gatheredBytes(desc), r);
    const fromState = stateAt(from + gatheredBytes(desc), r);
    const sum = load<f32>(fromState, LANES);
    if (sum === 0) continue;
    const largest = max<f32>(load<f32>(intoState), load<f32>(fromState));
    const keep = weightOf(load<f32>(intoState), largest);
    const add = weightOf(load<f32>(fromState), largest);
    store<f32>(intoState, largest);
    store<f32>(intoState, load<f32>(intoState, LANES) * keep + sum * add, LANES);
    const offset = rowAt(desc, 0, paddedOf(desc), r);
    addScaled(into + offset, keep, from + offset, add, paddedOf(desc), stepOf(desc));
  }
}

/** `into = into * keep + from * add` for `count` numbers, `step` bytes from one to the next. */
function addScaled(into: usize, keep: f32, from: usize, add: f32, count: i32, step: i32): void {
  for (const end = into + count * step; into < end; into += step) {
    store<f32>(into, load<f32>(into) * keep + load<f32>(from) * add);
    from += step;
  }
}

function weightOf(largest: f32, joint: f32): f32 {
  if (largest === joint) return 1;
  return largest === -Infinity || joint === Infinity ? 0 : exp2Scalar(largest - joint);
}
