import { readFileSync } from 'node:fs';

/** One tensor of a safetensors file. */
export interface StoredTensor {
  dtype: string;
  shape: number[];
  /** A view into the file; little-endian, row-major. */
  bytes: Uint8Array;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [begin: number, end: number];
}

/** Reads a whole safetensors file: the header's length as u64, the header as JSON, then the data. */
export function readSafetensors(path: string): Map<string, StoredTensor> {
  const file = readFileSync(path);
  const dataStart = 8 + Number(file.readBigUInt64LE(0));
  const header = JSON.parse(file.toString('utf8', 8, dataStart)) as Record<string, HeaderEntry>;
  delete header['__metadata__'];
  return new Map(
    Object.entries(header).map(
      ([
        name,
        {
          dtype,
          shape,
          data_offsets: [begin, end],
        },
      ]) => [name, { dtype, shape, bytes: file.subarray(dataStart + begin, dataStart + end) }],
    ),
  );
}
