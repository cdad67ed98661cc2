import {
  type GGMLQuantizationType,
  type GGUFTypedMetadata,
  GGUFValueType,
  serializeGgufMetadata,
} from '@huggingface/gguf';
import { writeFileSync } from 'node:fs';

/** What a key may hold: whole numbers become UINT32, others FLOAT32. */
export type Value = string | number | boolean | readonly string[] | readonly number[];

export interface StoredTensor {
  readonly name: string;
  /** Row-major, the outermost first. */
  readonly shape: readonly number[];
  readonly type: GGMLQuantizationType;
  readonly bytes: Uint8Array;
}

const ALIGNMENT = 32;
const aligned = (size: number): number => Math.ceil(size / ALIGNMENT) * ALIGNMENT;

/** Writes a GGUF file, version 3: keys and values, what tensors there are, their bytes. */
export function writeGguf(
  path: string,
  metadata: Readonly<Record<string, Value>>,
  tensors: readonly StoredTensor[],
): void {
  const offsets = tensors.map((_, i) =>
    tensors.slice(0, i).reduce((sum, { bytes }) => sum + aligned(bytes.length), 0),
  );
  const parts = [
    keysAndValues(metadata, tensors.length),
    ...tensors.map((tensor, i) => describe(tensor, offsets[i])),
  ];
  const header = Buffer.concat(parts);
  const padded = [header, ...tensors.map(({ bytes }) => bytes)].map((bytes) =>
    Buffer.concat([bytes], aligned(bytes.length)),
  );
  writeFileSync(path, Buffer.concat(padded));
}

function keysAndValues(metadata: Readonly<Record<string, Value>>, tensors: number): Uint8Array {
  const entries = Object.entries(metadata).map(([key, value]) => [key, typed(value)]);
  const all = {
    version: { value: 3, type: GGUFValueType.UINT32 },
    tensor_count: { value: BigInt(tensors), type: GGUFValueType.UINT64 },
    kv_count: { value: BigInt(entries.length), type: GGUFValueType.UINT64 },
    ...Object.fromEntries(entries),
  } as GGUFTypedMetadata;
  return serializeGgufMetadata(all, { alignment: 1 }); // unpadded: the tensors' descriptions follow
}

function typed(value: Value): object {
  if (Array.isArray(value)) {
    return { value, type: GGUFValueType.ARRAY, subType: scalarType(value[0] as string | number) };
  }
  return { value, type: scalarType(value as string | number | boolean) };
}

function scalarType(value: string | number | boolean): GGUFValueType {
  if (typeof value === 'string') return GGUFValueType.STRING;
  if (typeof value === 'boolean') return GGUFValueType.BOOL;
  return Number.isInteger(value) ? GGUFValueType.UINT32 : GGUFValueType.FLOAT32;
}

/** Name, dimensions (the innermost first), type, place. */
function describe({ name, shape, type }: StoredTensor, offset: number): Buffer {
  const text = Buffer.from(name);
  const out = Buffer.alloc(8 + text.length + 4 + 8 * shape.length + 4 + 8);
  let at = out.writeBigUInt64LE(BigInt(text.length), 0);
  at += text.copy(out, at);
  at = out.writeUInt32LE(shape.length, at);
  for (const size of [...shape].reverse()) at = out.writeBigUInt64LE(BigInt(size), at);
  at = out.writeUInt32LE(type, at);
  out.writeBigUInt64LE(BigInt(offset), at);
  return out;
}
