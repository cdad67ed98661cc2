/** Floats as the 32-bit words of a descriptor. */
export function floatWords(...values: number[]): Int32Array {
  return new Int32Array(Float32Array.from(values).buffer);
}
