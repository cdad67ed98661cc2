/** `[heads, tokens, width]` as `[tokens, heads, width]`: what ONNX Runtime's own operators take. */
export function tokensFirst(data: Float32Array, heads: number, width: number): Float32Array {
  return swapped(data, heads, data.length / heads / width, width);
}

/** The way back. */
export function headsFirst(data: Float32Array, heads: number, width: number): Float32Array {
  return swapped(data, data.length / heads / width, heads, width);
}

function swapped(data: Float32Array, outer: number, inner: number, width: number): Float32Array {
  const out = new Float32Array(data.length);
  for (let i = 0; i < outer; i++) {
    for (let j = 0; j < inner; j++) {
      const from = (i * inner + j) * width;
      out.set(data.subarray(from, from + width), (j * outer + i) * width);
    }
  }
  return out;
}
