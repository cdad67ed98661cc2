import {
  GGMLQuantizationType,
  gguf,
  type GGUFParseOutput,
  type GGUFTensorInfo,
} from '@huggingface/gguf';
import { type FileHandle, open } from 'node:fs/promises';

import { invalid, pathError, unsupported } from './errors.js';
import { decodeBlocks, type Format, FORMATS } from './formats/index.js';
import { Metadata } from './metadata.js';
import { readWhole } from './whole.js';

/** A tensor as it lies in a GGUF file. */
export interface GgufTensor {
  readonly name: string;
  /** Row-major, the outermost dimension first: `[out, in]` for a projection. (GGUF writes it the other way round.) */
  readonly shape: readonly number[];
  readonly format: Format;
  /** First byte in the file, and bytes. */
  readonly offset: number;
  readonly length: number;
}

/** An open GGUF file: its header in memory, its tensors read one at a time. */
export class GgufFile {
  readonly path: string;
  readonly metadata: Metadata;
  readonly tensors: ReadonlyMap<string, GgufTensor>;
  readonly #handle: FileHandle;

  private constructor(
    path: string,
    metadata: Metadata,
    tensors: ReadonlyMap<string, GgufTensor>,
    handle: FileHandle,
  ) {
    this.path = path;
    this.metadata = metadata;
    this.tensors = tensors;
    this.#handle = handle;
  }

  /**
   * @throws {InputError} `MISSING_INPUT` if there is no file
   * @throws {ModelError} `MODEL_INVALID` for what is no GGUF file or is cut off; `UNSUPPORTED` for a tensor in
   *   a format that cannot be read
   */
  static async open(path: string): Promise<GgufFile> {
    const handle = await openFile(path);
    try {
      const header = await readHeader(path);
      const tensors = header.tensorInfos.map((info) => describe(path, info, header));
      const { size } = await handle.stat();
      for (const tensor of tensors) requireInside(path, tensor, size);
      const byName = new Map(tensors.map((tensor) => [tensor.name, tensor]));
      return new GgufFile(path, new Metadata(path, header.metadata), byName, handle);
    } catch (error) {
      await handle.close();
      throw error;
    }
  }

  /** The values of a tensor, row-major. */
  async read({ name, format, offset, length }: GgufTensor): Promise<Float32Array> {
    const bytes = new Uint8Array(length);
    if ((await readWhole(this.#handle, bytes, offset)) < length) {
      throw invalid(`${this.path} ends inside the tensor ${name}`, 'it changed while it was read');
    }
    return decodeBlocks(format, bytes);
  }

  async close(): Promise<void> {
    await this.#handle.close();
  }
}

async function openFile(path: string): Promise<FileHandle> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    const { message } = error as Error;
    throw pathError(
      `cannot open ${path}: ${message}`,
      'MISSING_INPUT',
      'give the path of a GGUF file',
    );
  }
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw pathError(`${path} is not a file`, 'MISSING_INPUT', 'give the path of a GGUF file');
}

type Header = GGUFParseOutput<{ strict: false }>;

async function readHeader(path: string): Promise<Header> {
  let header: Header;
  try {
    header = await gguf(path, { allowLocalFile: true });
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw invalid(
      `${path} cannot be read as GGUF: ${reason}`,
      'is the file whole? Copy it anew',
      cause,
    );
  }
  if (header.littleEndian) return header;
  throw unsupported(`${path} is big-endian`, 'convert the model to GGUF on a common machine');
}

function describe(path: string, info: GGUFTensorInfo, header: Header): GgufTensor {
  const { name, dtype } = info;
  const shape = info.shape.map(Number).reverse();
  const formatName = GGMLQuantizationType[dtype] ?? `number ${dtype}`;
  const format = FORMATS[formatName];
  if (!format) {
    throw unsupported(
      `${path}: the tensor ${name} has the format ${formatName}, expected one of ${Object.keys(FORMATS).join(', ')}`,
      'take another quantisation of the model',
    );
  }
  const values = shape.reduce((a, b) => a * b, 1);
  if ((shape.at(-1) ?? 1) % format.values !== 0) {
    throw invalid(
      `${path}: the tensor ${name} has rows of ${shape.at(-1)} values, expected a multiple of ${format.values} for ${formatName}`,
      'convert the model to GGUF anew',
    );
  }
  const offset = Number(header.tensorDataOffset + info.offset);
  return { name, shape, format, offset, length: (values / format.values) * format.bytes };
}

function requireInside(path: string, { name, offset, length }: GgufTensor, size: number): void {
  if (offset + length <= size) return;
  throw invalid(
    `${path} has ${size} bytes, expected at least ${offset + length}: the tensor ${name} is cut off`,
    'copy the file anew',
  );
}
