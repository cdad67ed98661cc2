import { madd } from '../simd';
import { LANES, nextBlock } from './block';

/**
 * `out[key][8] = keys · panel` for queries `[depth][8]` and `count` keys, a multiple of 4, by their addresses.
 */
export function scoreLanes(panel: usize, depth: i32, keys: usize, count: i32, out: usize): void {
  const end = panel + depth * LANES;
  while (count > 0) {
    const block = nextBlock(count);
    if (block === 6) scoreSix(panel, end, keys, out);
    else scoreFour(panel, end, keys, out);
    keys += block << 2;
    out += block * LANES;
    count -= block;
  }
}

export function scoreSix(panel: usize, end: usize, keys: usize, out: usize): void {
  let k0: usize = load<u32>(keys);
  let k1: usize = load<u32>(keys, 4);
  let k2: usize = load<u32>(keys, 8);
  let k3: usize = load<u32>(keys, 12);
  let k4: usize = load<u32>(keys, 16);
  let k5: usize = load<u32>(keys, 20);
  let a0 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  let a4 = f32x4.splat(0);
  let b4 = f32x4.splat(0);
  let a5 = f32x4.splat(0);
  let b5 = f32x4.splat(0);
  while (panel < end) {
    const a = v128.load(panel);
    const b = v128.load(panel, 16);
    let x = v128.load32_splat(k0);
    a0 = madd(x, a, a0);
    b0 = madd(x, b, b0);
    x = v128.load32_splat(k1);
    a1 = madd(x, a, a1);
    b1 = madd(x, b, b1);
    x = v128.load32_splat(k2);
    a2 = madd(x, a, a2);
    b2 = madd(x, b, b2);
    x = v128.load32_splat(k3);
    a3 = madd(x, a, a3);
    b3 = madd(x, b, b3);
    x = v128.load32_splat(k4);
    a4 = madd(x, a, a4);
    b4 = madd(x, b, b4);
    x = v128.load32_splat(k5);
    a5 = madd(x, a, a5);
    b5 = madd(x, b, b5);
    panel += LANES;
    k0 += 4;
    k1 += 4;
    k2 += 4;
    k3 += 4;
    k4 += 4;
    k5 += 4;
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
  v128.store(out, a1, 32);
  v128.store(out, b1, 48);
  v128.store(out, a2, 64);
  v128.store(out, b2, 80);
  v128.store(out, a3, 96);
  v128.store(out, b3, 112);
  v128.store(out, a4, 128);
  v128.store(out, b4, 144);
  v128.store(out, a5, 160);
  v128.store(out, b5, 176);
}

export function scoreFour(panel: usize, end: usize, keys: usize, out: usize): void {
  let k0: usize = load<u32>(keys);
  let k1: usize = load<u32>(keys, 4);
  let k2: usize = load<u32>(keys, 8);
  let k3: usize = load<u32>(keys, 12);
  let a0 = f32x4.splat(0);
  let b0 = f32x4.splat(0);
  let a1 = f32x4.splat(0);
  let b1 = f32x4.splat(0);
  let a2 = f32x4.splat(0);
  let b2 = f32x4.splat(0);
  let a3 = f32x4.splat(0);
  let b3 = f32x4.splat(0);
  while (panel < end) {
    const a = v128.load(panel);
    const b = v128.load(panel, 16);
    let x = v128.load32_splat(k0);
    a0 = madd(x, a, a0);
    b0 = madd(x, b, b0);
    x = v128.load32_splat(k1);
    a1 = madd(x, a, a1);
    b1 = madd(x, b, b1);
    x = v128.load32_splat(k2);
    a2 = madd(x, a, a2);
    b2 = madd(x, b, b2);
    x = v128.load32_splat(k3);
    a3 = madd(x, a, a3);
    b3 = madd(x, b, b3);
    panel += LANES;
    k0 += 4;
    k1 += 4;
    k2 += 4;
    k3 += 4;
  }
  v128.store(out, a0);
  v128.store(out, b0, 16);
  v128.store(out, a1, 32);
  v128.store(out, b1, 48);
  v128.store(out, a2, 64);
  v128.store(out, b2, 80);
  v128.store(out, a3, 96);
  v128.store(out, b3, 112);
}
