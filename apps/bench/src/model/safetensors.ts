import { closeSync, openSync, readSync, statSync, writeSync } from 'node:fs';

import { fileError } from './errors.js';

/** One tensor of a safetensors file. */
export interface StoredTensor {
  name: string;
  /** As the file names it: `F32`, `F16`, `BF16`, … */
  dtype: string;
  shape: number[];
  byteLength: number;
  /** Reads its bytes, aligned for any element type. */
  read(): Uint8Array;
}

export interface SafetensorsFile {
  path: string;
  metadata: Record<string, string>;
  tensors: Map<string, StoredTensor>;
}

interface HeaderEntry {
  dtype: string;
  shape: number[];
  data_offsets: [begin: number, end: number];
}

/** Longer headers are damaged files; the format's own limit. */
const HEADER_LIMIT = 100_000_000;

/** Reads the header of a safetensors file; the data are read tensor by tensor, when asked for. */
export function openSafetensors(path: string): SafetensorsFile {
  const size = statSync(path, { throwIfNoEntry: false })?.size;
  if (size === undefined) throw fileError(`${path} does not exist`, 'pass a safetensors file');
  const headerLength = size < 8 ? 0 : Number(Buffer.from(readAt(path, 0, 8)).readBigUInt64LE());
  const dataStart = 8 + headerLength;
  if (headerLength < 2 || headerLength > HEADER_LIMIT || dataStart > size) throw damaged(path);
  const { __metadata__, ...entries } = parseHeader(path, readAt(path, 8, headerLength));
  const tensors = Object.entries(entries).map(([name, value]): [string, StoredTensor] => {
    const { dtype, shape, data_offsets } = value as HeaderEntry;
    const [begin, end] = data_offsets;
    if (!(begin >= 0 && begin <= end && dataStart + end <= size)) throw damaged(path);
    const byteLength = end - begin;
    const read = () => readAt(path, dataStart + begin, byteLength);
    return [name, { name, dtype, shape, byteLength, read }];
  });
  const metadata = (__metadata__ ?? {}) as Record<string, string>;
  return { path, metadata, tensors: new Map(tensors) };
}

/** Writes f32 tensors, one after the other. */
export function writeSafetensors(
  path: string,
  tensors: { name: string; shape: number[]; values: Float32Array }[],
  metadata: Record<string, string>,
): void {
  let offset = 0;
  const entries = tensors.map(({ name, shape, values }): [string, HeaderEntry] => {
    const begin = offset;
    offset += values.byteLength;
    return [name, { dtype: 'F32', shape, data_offsets: [begin, offset] }];
  });
  const json = JSON.stringify({ __metadata__: metadata, ...Object.fromEntries(entries) });
  const header = Buffer.from(json);
  const padded = Buffer.concat([header, Buffer.alloc((8 - (header.length % 8)) % 8, ' ')]);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(padded.length));

  const file = openSync(path, 'w');
  try {
    writeAll(file, length);
    writeAll(file, padded);
    for (const { values } of tensors) {
      writeAll(file, new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
    }
  } finally {
    closeSync(file);
  }
}

function parseHeader(path: string, bytes: Uint8Array): Record<string, unknown> {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw damaged(path, cause);
  }
}

function damaged(path: string, cause?: unknown): Error {
  const hint = 'write it anew, for example with save_file of the safetensors library';
  return fileError(`${path} is not a safetensors file, or is cut short`, hint, cause);
}

function readAt(path: string, position: number, length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const file = openSync(path, 'r');
  try {
    for (let done = 0; done < length;) {
      const read = readSync(file, bytes, done, length - done, position + done);
      if (read === 0) throw damaged(path);
      done += read;
    }
  } finally {
    closeSync(file);
  }
  return bytes;
}

function writeAll(file: number, bytes: Uint8Array): void {
  for (let done = 0; done < bytes.length;) done += writeSync(file, bytes, done);
}
