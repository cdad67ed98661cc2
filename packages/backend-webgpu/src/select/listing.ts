import { type Kernel, kernel, read, write } from '../device/kernel.js';
import { SPEC } from './spec.js';
import { inFront } from './together.js';

const THREADS = 64;

/** WGSL that puts units into a list, in any order of places, and then fills it up with zeros. */
export const listing = (threads: number): string => /* wgsl */ `
fn take(list: i32, place: i32, unit: i32) {
  if (place < word(CAPACITY)) { ids[list * word(CAPACITY) + place] = unit; }
}
fn finish(lane: u32, list: i32, count: i32) {
  for (var i = count + i32(lane); i < word(CAPACITY); i += ${threads}) {
    ids[list * word(CAPACITY) + i] = 0;
  }
  if (lane == 0) { counts[list] = min(count, word(CAPACITY)); }
}
`;

/** WGSL that marks units of a list. */
export const MARKING = /* wgsl */ `
fn take(list: i32, place: i32, unit: i32) {
  atomicOr(&marks[list * word(BIT_WORDS) + unit / 32], 1u << u32(unit % 32));
}
`;

/** A kernel that lists the marked units of each list. A workgroup has a list, and a thread neighbouring words of it. */
export const markedKernel: Kernel = kernel({
  name: 'select: marked',
  threads: THREADS,
  buffers: { rows: read('Row'), marks: read('u32'), ids: write('i32'), counts: write('i32') },
  declarations: SPEC + inFront('in_front', 'i32', THREADS) + listing(THREADS),
  body: /* wgsl */ `
  let zero = i32(group) * word(BIT_WORDS);
  let share = (word(BIT_WORDS) + ${THREADS - 1}) / ${THREADS};
  let begin = min(i32(lane) * share, word(BIT_WORDS));
  let end = min(begin + share, word(BIT_WORDS));
  var own = 0;
  for (var i = begin; i < end; i++) { own += i32(countOneBits(marks[zero + i])); }
  let list = rows[i32(group) * word(LIST_ROWS)].list;
  let sums = in_front(lane, own);
  var place = sums.before;
  for (var i = begin; i < end; i++) {
    for (var left = marks[zero + i]; left != 0; left &= left - 1) {
      take(list, place, 32 * i + i32(countTrailingZeros(left)));
      place++;
    }
  }
  finish(lane, list, sums.all);`,
});
