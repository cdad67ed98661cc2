import { nextTask, pointer, word } from '../layout';
import { exp2Scalar } from '../simd';
import {
  BLOCKS,
  kvHeadsOf,
  LOG_SUM_EXP,
  OUTPUT,
  paddedOf,
  PARTIAL,
  QUERY_BLOCK,
  queryRow,
  rowsOf,
  SPLITS,
  TOKENS,
  VALUE_DIM,
  groupOf,
} from './descriptor';
import {
  descOf,
  GATHERED,
  gatheredBytes,
  kvHeadOf,
  rowOf,
  setTask,
  stateBytes,
  tokenOf,
} from './frame';

/** Normalises what the rows of a task have gathered. */
export function writeRows(frame: usize, tokenEnd: i32, gathered: usize, state: usize): void {
  const desc = descOf(frame);
  for (let r = 0; r < (tokenEnd - tokenOf(frame)) * groupOf(desc); r++) {
    const at = queryRow(desc, rowOf(frame), kvHeadOf(frame), tokenOf(frame), r);
    const largest = load<f32>(state + (r << 3));
    const sum = load<f32>(state + (r << 3), 4);
    const read = largest !== -Infinity;
    const logSum = <f32>(<f64>largest * Math.LN2 + Math.log(<f64>sum));
    store<f32>(pointer(desc, LOG_SUM_EXP) + (at << 2), read ? logSum : -Infinity);
    writeRow(desc, gathered + elementAt(desc, r, 0), at, read ? <f32>1 / sum : 0);
  }
}

function writeRow(desc: usize, source: usize, at: i32, factor: f32): void {
  const width = word(desc, VALUE_DIM);
  const target = pointer(desc, OUTPUT) + ((at * width) << 2);
  for (let d = 0; d < width; d++) {
    const value = load<f32>(source + ((d >> 3) << 7) + ((d & 7) << 2));
    store<f32>(target + (d << 2), factor === 0 ? 0 : value * factor);
  }
}

/** Offset of channel `d` of row `r` in what was gathered. */
function elementAt(desc: usize, r: i32, d: i32): usize {
  return (((r & ~3) * paddedOf(desc)) << 2) + ((r & 3) << 5) + ((d >> 3) << 7) + ((d & 7) << 2);
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
    const token = block * word(desc, QUERY_BLOCK);
    setTask(frame, lane / kvHeadsOf(desc), lane % kvHeadsOf(desc), token, token);
    const joint = partialAt(frame, block, 0);
    for (let split = 1; split < word(desc, SPLITS); split++) {
      addPartial(desc, joint, partialAt(frame, block, split));
    }
    const tokenEnd = min(token + word(desc, QUERY_BLOCK), word(desc, TOKENS));
    writeRows(frame, tokenEnd, joint, joint + gatheredBytes(desc));
  }
}

function addPartial(desc: usize, into: usize, from: usize): void {
  for (let r = 0; r < rowsOf(desc); r++) {
    const intoState = into + gatheredBytes(desc) + (r << 3);
    const fromState = from + gatheredBytes(desc) + (r << 3);
    if (load<f32>(fromState) === -Infinity) continue;
    const largest = max<f32>(load<f32>(intoState), load<f32>(fromState));
    const keep = weightOf(load<f32>(intoState), largest);
    const add = weightOf(load<f32>(fromState), largest);
    store<f32>(intoState, largest);
    store<f32>(intoState, load<f32>(intoState, 4) * keep + load<f32>(fromState, 4) * add, 4);
    for (let d = 0; d < paddedOf(desc); d++) {
      const at = elementAt(desc, r, d);
      store<f32>(into + at, load<f32>(into + at) * keep + load<f32>(from + at) * add);
    }
  }
}

function weightOf(largest: f32, joint: f32): f32 {
  if (largest === joint) return 1;
  return largest === -Infinity || joint === Infinity ? 0 : exp2Scalar(largest - joint);
}
