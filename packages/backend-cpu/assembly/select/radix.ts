import { word } from '../layout';
import { setWord } from './work';
import { scoreOf } from './ranks';

/**
 * Selection by digits, most significant first: a histogram finds the digit of what is sought, and only ranks with
 * that digit go on to the next. No ranks are sorted, and all but the first pass are short.
 */

/** Digits of 11 bits for many ranks, of 8 for few: a histogram is filled with zeros and searched as well. */
const LONG_DIGIT: i32 = 11;
const SHORT_DIGIT: i32 = 8;
const MANY: i32 = 1024;

const COUNTS_BYTES: usize = 4 << LONG_DIGIT;
const MASSES_BYTES: usize = 8 << LONG_DIGIT;

/** Bytes of scratch for as many ranks. */
export function radixBytes(count: i32): usize {
  return COUNTS_BYTES + MASSES_BYTES + (count << 2);
}

/** The `nth` largest of `count` ranks, from 1; the first word of scratch says which of its equals it is, from 1. */
export function nthLargest(ranks: usize, count: i32, nth: i32, scratch: usize): i32 {
  const left = scratch + COUNTS_BYTES + MASSES_BYTES;
  let prefix: u32 = 0;
  for (let shift = 32; shift > 0;) {
    const bits = digitBits(count, shift);
    shift -= bits;
    countDigits(ranks, count, shift, bits, scratch);
    let digit = (1 << bits) - 1;
    for (let here = word(scratch, digit); here < nth; here = word(scratch, digit)) {
      nth -= here;
      digit--;
    }
    prefix |= (<u32>digit) << shift;
    if (shift > 0) count = keepPrefix(ranks, count, shift, prefix, left);
    ranks = left;
  }
  setWord(scratch, 0, nth);
  return rankOfBits(prefix);
}

/**
 * How many of the best `count` ranks it takes until their scores, added to `kept`, reach `wanted`; all of them if
 * they do not.
 */
export function unitsToReach(
  ranks: usize,
  count: i32,
  kept: f64,
  wanted: f64,
  scratch: usize,
): i32 {
  const masses = scratch + COUNTS_BYTES;
  const left = masses + MASSES_BYTES;
  let units = 0;
  let prefix: u32 = 0;
  for (let shift = 32; shift > 0;) {
    const bits = digitBits(count, shift);
    shift -= bits;
    addDigits(ranks, count, shift, bits, scratch, masses);
    let digit = (1 << bits) - 1;
    for (; digit >= 0; digit--) {
      const mass = load<f64>(masses + (digit << 3));
      // A digit that does not reach it is taken whole.
      if (!(kept + mass < wanted) && word(scratch, digit) > 0) break;
      kept += mass;
      units += word(scratch, digit);
    }
    if (digit < 0) return units;
    prefix |= (<u32>digit) << shift;
    if (shift > 0) count = keepPrefix(ranks, count, shift, prefix, left);
    ranks = left;
  }
  // What is left is equal.
  const each = <f64>scoreOf(rankOfBits(prefix));
  for (; kept < wanted; units++) kept += each;
  return units;
}

function digitBits(count: i32, shift: i32): i32 {
  return min(shift, count < MANY ? SHORT_DIGIT : LONG_DIGIT);
}

/** Unsigned bits that sort as ranks do. @inline */
function bitsAt(rank: usize): u32 {
  return load<u32>(rank) ^ 0x80000000;
}

function rankOfBits(bits: u32): i32 {
  return <i32>(bits ^ 0x80000000);
}

function countDigits(ranks: usize, count: i32, shift: i32, bits: i32, counts: usize): void {
  const mask: u32 = (1 << bits) - 1;
  memory.fill(counts, 0, 4 << bits);
  for (let at = ranks, end = ranks + (count << 2); at < end; at += 4) {
    const place = counts + (((bitsAt(at) >> shift) & mask) << 2);
    store<i32>(place, load<i32>(place) + 1);
  }
}

function addDigits(
  ranks: usize,
  count: i32,
  shift: i32,
  bits: i32,
  counts: usize,
  masses: usize,
): void {
  const mask: u32 = (1 << bits) - 1;
  memory.fill(counts, 0, 4 << bits);
  memory.fill(masses, 0, 8 << bits);
  for (let at = ranks, end = ranks + (count << 2); at < end; at += 4) {
    const digit = (bitsAt(at) >> shift) & mask;
    setWord(counts, digit, word(counts, digit) + 1);
    const mass = masses + (digit << 3);
    store<f64>(mass, load<f64>(mass) + <f64>scoreOf(load<i32>(at)));
  }
}

/** Gathers the ranks that begin with `prefix`, in order; `out` may be where they are. Returns how many. */
function keepPrefix(ranks: usize, count: i32, shift: i32, prefix: u32, out: usize): i32 {
  const wanted = i32x4.splat(<i32>((prefix ^ 0x80000000) >> shift));
  let kept = 0;
  for (let i = 0; i < count; i += 4) {
    const begins = i32x4.eq(i32x4.shr_u(v128.load(ranks + (i << 2)), shift), wanted);
    for (let found = i32x4.bitmask(begins); found !== 0; found &= found - 1) {
      const at = i + ctz(found);
      if (at < count) setWord(out, kept++, word(ranks, at));
    }
  }
  return kept;
}
