/**
 * How a GGUF file stores the values of a tensor: in blocks, one after the other, each of the same number
 * of values and of bytes. Layouts are those of ggml (`ggml-common.h`, `ggml-quants.c`), little-endian.
 */
export interface Format {
  /** Values in a block; a row of a tensor is a whole number of blocks. */
  readonly values: number;
  /** Bytes of a block. */
  readonly bytes: number;
  /** Writes the values of the block at `bytes[at]` to `out`, from `to` on. */
  readonly decode: (bytes: Uint8Array, at: number, out: Float32Array, to: number) => void;
}

/** All values of the blocks, in f32. */
export function decodeBlocks(format: Format, bytes: Uint8Array): Float32Array {
  const blocks = bytes.length / format.bytes;
  const out = new Float32Array(blocks * format.values);
  for (let block = 0; block < blocks; block++) {
    format.decode(bytes, block * format.bytes, out, block * format.values);
  }
  return out;
}
