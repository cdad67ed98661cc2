import { F16 } from './layout';

export { gatherRows } from './gather';

/** Four half floats, in the low halves of 32-bit lanes, to f32: exact, denormals included. @inline */
function halves(bits: v128): v128 {
  const sign = i32x4.shl(v128.and(bits, i32x4.splat(0x8000)), 16);
  const rest = i32x4.shl(v128.and(bits, i32x4.splat(0x7fff)), 13);
  // Moving the exponent by a multiplication handles denormals; Inf and NaN need the full exponent.
  const scaled = f32x4.mul(rest, f32x4.splat(5192296858534827628530496329220096.0));
  const special = i32x4.gt_u(rest, i32x4.splat(0x0f7fffff));
  return v128.or(sign, v128.or(scaled, v128.and(special, i32x4.splat(0x7f800000))));
}

/** Decodes `width` elements of a stored row to f32. */
export function decodeRow(source: usize, dtype: i32, width: i32, target: usize): void {
  let i = 0;
  if (dtype === F16) {
    for (; i + 4 <= width; i += 4) {
      v128.store(target + (i << 2), halves(v128.load16x4_u(source + (i << 1))));
    }
    for (; i < width; i++) {
      const one = halves(i32x4.splat(load<u16>(source + (i << 1))));
      store<f32>(target + (i << 2), f32x4.extract_lane(one, 0));
    }
    return;
  }
  const scale = load<f32>(source);
  for (; i < width; i++) store<f32>(target + (i << 2), scale * load<i8>(source + 4 + i));
}

/**
 * Rows as panels `[TILE / 8][width][8]`, transposed; the last panel is filled up with copies of the last row
 * (their logits are masked).
 */
export function packKeys(rows: usize, count: i32, width: i32, panels: usize): void {
  for (let entry = 0; entry < count; entry += 8) {
    packFour(rows, entry, count, width, panels);
    packFour(rows, entry + 4, count, width, panels + 16);
    panels += width << 5;
  }
}

function packFour(rows: usize, entry: i32, count: i32, width: i32, panel: usize): void {
  const a = rowAt(rows, entry, count);
  const b = rowAt(rows, entry + 1, count);
  const c = rowAt(rows, entry + 2, count);
  const d = rowAt(rows, entry + 3, count);
  const whole = (width & ~3) << 2;
  let at = 0;
  for (; at < whole; at += 16) {
    const va = v128.load(a + at);
    const vb = v128.load(b + at);
    const vc = v128.load(c + at);
    const vd = v128.load(d + at);
    const ab0 = i32x4.shuffle(va, vb, 0, 4, 1, 5);
    const ab1 = i32x4.shuffle(va, vb, 2, 6, 3, 7);
    const cd0 = i32x4.shuffle(vc, vd, 0, 4, 1, 5);
    const cd1 = i32x4.shuffle(vc, vd, 2, 6, 3, 7);
    v128.store(panel, i64x2.shuffle(ab0, cd0, 0, 2));
    v128.store(panel, i64x2.shuffle(ab0, cd0, 1, 3), 32);
    v128.store(panel, i64x2.shuffle(ab1, cd1, 0, 2), 64);
    v128.store(panel, i64x2.shuffle(ab1, cd1, 1, 3), 96);
    panel += 128;
  }
  for (const end = width << 2; at < end; at += 4) {
    store<f32>(panel, load<f32>(a + at));
    store<f32>(panel, load<f32>(b + at), 4);
    store<f32>(panel, load<f32>(c + at), 8);
    store<f32>(panel, load<f32>(d + at), 12);
    panel += 32;
  }
}

/** @inline */
function rowAt(rows: usize, i: i32, count: i32): usize {
  return load<u32>(rows + ((<usize>min(i, count - 1)) << 2));
}
