import { getFloat16 } from '@petamoriken/float16';

/** The element types that queries, keys and values come in. */
export type FloatType = 'f32' | 'f16' | 'bf16';

export const BYTES: Record<FloatType, number> = { f32: 4, f16: 2, bf16: 2 };

/** Little-endian elements as f32: a view where they are f32 already, else a copy. */
export function toFloat32(type: FloatType, data: ArrayBufferView): Float32Array {
  const length = data.byteLength / BYTES[type];
  const buffer = data.buffer as ArrayBuffer;
  if (type === 'f32') return new Float32Array(buffer, data.byteOffset, length);
  const halves = new Uint16Array(buffer, data.byteOffset, length);
  return type === 'f16' ? fromFloat16(halves) : fromBfloat16(halves);
}

/** The upper half of an f32. */
function fromBfloat16(halves: Uint16Array): Float32Array {
  const out = new Uint32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = halves[i] << 16;
  return new Float32Array(out.buffer);
}

/** Through a table of all 65,536: a cache of a long context has hundreds of millions of elements. */
function fromFloat16(halves: Uint16Array): Float32Array {
  table ??= float16Table();
  const out = new Float32Array(halves.length);
  for (let i = 0; i < out.length; i++) out[i] = table[halves[i]]!;
  return out;
}

let table: Float32Array | undefined;

function float16Table(): Float32Array {
  const view = new DataView(new ArrayBuffer(2));
  const out = new Float32Array(1 << 16);
  for (let bits = 0; bits < out.length; bits++) {
    view.setUint16(0, bits);
    out[bits] = getFloat16(view, 0);
  }
  return out;
}
