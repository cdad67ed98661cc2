import { F16, F32, I8, nextTask, pointer, word } from './layout';
import { promoteHigh, wholeSteps } from './math';
import { horizontalMax } from './simd';

/**
 * Stored rows to f32 and back. An f16 row is `width` halves; an i8 row is its scale, an f32, and `width` codes; i32
 * can be read only.
 */

/** Bytes before the first element of a row. */
function headBytes(dtype: i32): usize {
  return dtype === I8 ? 4 : 0;
}

/** Bytes of an element. @inline */
function elementBytes(dtype: i32): i32 {
  return dtype === I8 ? 1 : dtype === F16 ? 2 : 4;
}

/** Elements `[first, first + width)` of a stored row as f32. */
export function decodeRow(row: usize, dtype: i32, first: i32, width: i32, target: usize): void {
  const source = row + headBytes(dtype) + first * elementBytes(dtype);
  if (dtype === F32) memory.copy(target, source, (<usize>width) << 2);
  else if (dtype === F16) decodeHalves(source, width, target);
  else if (dtype === I8) decodeCodes(source, width, load<f32>(row), target);
  else decodeIntegers(source, width, target);
}

/** A row of `width` f32 as it is stored; to nearest, ties to even (f16), ties upwards (i8). */
export function encodeRow(source: usize, dtype: i32, width: i32, row: usize): void {
  if (dtype === F32) memory.copy(row, source, (<usize>width) << 2);
  else if (dtype === F16) encodeHalves(source, width, row);
  else encodeCodes(source, width, row);
}

function decodeHalves(source: usize, width: i32, target: usize): void {
  const whole = width & ~7;
  const exponent = i16x8.splat(0x7c00);
  let special = i32x4.splat(0);
  for (let i = 0; i < whole; i += 8) {
    const halves = v128.load(source + (i << 1));
    special = v128.or(special, i16x8.eq(v128.and(halves, exponent), exponent));
    const low = i16x8.shuffle(i32x4.splat(0), halves, 0, 8, 1, 9, 2, 10, 3, 11);
    const high = i16x8.shuffle(i32x4.splat(0), halves, 4, 12, 5, 13, 6, 14, 7, 15);
    v128.store(target + (i << 2), fromFinite(low));
    v128.store(target + (i << 2), fromFinite(high), 16);
  }
  for (let i = v128.any_true(special) ? 0 : whole; i < width; i++) {
    const bits = i32x4.splat((<i32>load<u16>(source + (i << 1))) << 16);
    store<f32>(target + (i << 2), f32x4.extract_lane(fromHalves(bits), 0));
  }
}

/**
 * Halves, in the upper half of each lane, to f32, exactly, if they are finite. The exponent is moved by a
 * multiplication, which does denormals too. @inline
 */
function fromFinite(halves: v128): v128 {
  const bits = v128.and(i32x4.shr_s(halves, 3), i32x4.splat(0x8fffe000));
  return f32x4.mul(bits, f32x4.splat(reinterpret<f32>(0x77800000))); // 2^112
}

/** The same of all halves: the exponent of Inf and NaN is filled up. @inline */
function fromHalves(halves: v128): v128 {
  const rest = v128.and(halves, i32x4.splat(0x7fff0000));
  const special = i32x4.gt_s(rest, i32x4.splat(0x7bffffff));
  return v128.or(fromFinite(halves), v128.and(special, i32x4.splat(0x7f800000)));
}

function encodeHalves(source: usize, width: i32, target: usize): void {
  const whole = width & ~3;
  for (let i = 0; i < whole; i += 4) {
    const halves = toHalves(v128.load(source + (i << 2)));
    v128.store64_lane(target + (i << 1), i16x8.narrow_i32x4_u(halves, halves), 0);
  }
  for (let i = whole; i < width; i++) {
    const half = i32x4.extract_lane(toHalves(v128.load32_splat(source + (i << 2))), 0);
    store<u16>(target + (i << 1), <u16>half);
  }
}

/**
 * f32 to halves in the low half of each lane. Normal ones: the exponent is rebased and just under half a unit of the
 * last place is added, a whole half where the place is odd. Denormal ones: adding 1/2 puts the unit of the last place
 * where the addition rounds. @inline
 */
function toHalves(x: v128): v128 {
  const bits = v128.and(x, i32x4.splat(0x7fffffff));
  const odd = v128.and(i32x4.shr_u(bits, 13), i32x4.splat(1));
  const rebased = i32x4.add(bits, i32x4.add(odd, i32x4.splat(0xc8000fff)));
  const normal = i32x4.shr_u(rebased, 13);
  const half = f32x4.splat(0.5);
  const denormal = i32x4.sub(f32x4.add(bits, half), half);
  const nan = i32x4.gt_s(bits, i32x4.splat(0x7f800000));
  const special = v128.bitselect(i32x4.splat(0x7e00), i32x4.splat(0x7c00), nan);
  const small = v128.bitselect(denormal, normal, i32x4.lt_s(bits, i32x4.splat(0x38800000)));
  const all = v128.bitselect(special, small, i32x4.gt_s(bits, i32x4.splat(0x477fffff)));
  return v128.or(all, v128.and(i32x4.shr_u(x, 16), i32x4.splat(0x8000)));
}

function decodeCodes(source: usize, width: i32, scale: f32, target: usize): void {
  const whole = width & ~7;
  const scales = f32x4.splat(scale);
  for (let i = 0; i < whole; i += 8) {
    const codes = v128.load8x8_s(source + i);
    const low = f32x4.convert_i32x4_s(i32x4.extend_low_i16x8_s(codes));
    const high = f32x4.convert_i32x4_s(i32x4.extend_high_i16x8_s(codes));
    v128.store(target + (i << 2), f32x4.mul(low, scales));
    v128.store(target + (i << 2), f32x4.mul(high, scales), 16);
  }
  for (let i = whole; i < width; i++) {
    store<f32>(target + (i << 2), scale * <f32>load<i8>(source + i));
  }
}

function encodeCodes(source: usize, width: i32, row: usize): void {
  const scale = largest(source, width) / 127.0;
  store<f32>(row, <f32>scale);
  const codes = row + 4;
  const whole = width & ~3;
  for (let i = 0; i < whole; i += 4) {
    const four = codesOf(v128.load(source + (i << 2)), scale);
    v128.store32_lane(codes + i, four, 0);
  }
  for (let i = whole; i < width; i++) {
    const four = codesOf(v128.load32_splat(source + (i << 2)), scale);
    v128.store8_lane(codes + i, four, 0);
  }
}

/** Four codes, one a byte. 0/0, in a row of zeros, saturates to code 0. @inline */
function codesOf(x: v128, scale: f64): v128 {
  const step = f64x2.splat(scale);
  const low = i32x4.trunc_sat_f64x2_s_zero(wholeSteps(f64x2.promote_low_f32x4(x), step));
  const high = i32x4.trunc_sat_f64x2_s_zero(wholeSteps(promoteHigh(x), step));
  const words = i16x8.narrow_i32x4_s(i64x2.shuffle(low, high, 0, 2), low);
  return i8x16.narrow_i16x8_s(words, words);
}

/** The largest absolute value of a row; NaN where there is one. */
export function largest(row: usize, width: i32): f64 {
  const whole = width & ~3;
  let most = f32x4.splat(0);
  for (let i = 0; i < whole; i += 4) {
    most = f32x4.max(most, f32x4.abs(v128.load(row + (i << 2))));
  }
  let one = horizontalMax(most);
  for (let i = whole; i < width; i++) one = max<f32>(one, abs<f32>(load<f32>(row + (i << 2))));
  return <f64>one;
}

function decodeIntegers(source: usize, width: i32, target: usize): void {
  for (let i = 0; i < width; i++) {
    store<f32>(target + (i << 2), <f32>load<i32>(source + (i << 2)));
  }
}

/**
 * One stored row into another, through f32 where the types differ; `spare` has room for a row of f32.
 */
export function convertRow(
  source: usize,
  sourceDtype: i32,
  target: usize,
  targetDtype: i32,
  width: i32,
  spare: usize,
): void {
  if (sourceDtype === targetDtype) {
    memory.copy(target, source, headBytes(targetDtype) + width * elementBytes(targetDtype));
  } else if (targetDtype === F32) {
    decodeRow(source, sourceDtype, 0, width, target);
  } else if (sourceDtype === F32) {
    encodeRow(source, targetDtype, width, target);
  } else {
    decodeRow(source, sourceDtype, 0, width, spare);
    encodeRow(spare, targetDtype, width, target);
  }
}

/**
 * Kernel: rows in order into rows in order.
 * [next, total, rows of a task, rows, width, source, dtype, rowBytes, target, dtype, rowBytes]
 */
export function convertRows(desc: usize, scratch: usize): void {
  const share = word(desc, 2);
  const rows = word(desc, 3);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(rows, (task + 1) * share);
    for (let row = task * share; row < end; row++) {
      convertRow(
        pointer(desc, 5) + <usize>row * word(desc, 7),
        word(desc, 6),
        pointer(desc, 8) + <usize>row * word(desc, 10),
        word(desc, 9),
        word(desc, 4),
        scratch,
      );
    }
  }
}
