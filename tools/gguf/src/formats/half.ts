import { Float16Array } from '@petamoriken/float16';

/** The value of every f16, by its bits. */
const VALUES = Float32Array.from(
  new Float16Array(Uint16Array.from({ length: 65536 }, (_, i) => i).buffer),
);

/** The f16 at `bytes[at]`. */
export function half(bytes: Uint8Array, at: number): number {
  return VALUES[bytes[at] | (bytes[at + 1] << 8)];
}

/** Rounded to the nearest f16, as bits. */
export function toHalves(values: Float32Array): Uint16Array {
  return new Uint16Array(new Float16Array(values).buffer);
}
