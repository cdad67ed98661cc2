import type { DecoderWeights, GraphBuilder } from '@jit-attention/onnx-writer';
import { open } from 'node:fs/promises';

import type { ModelConfig } from './config.js';
import { invalid, unsupported } from './errors.js';
import { toHalves } from './formats/index.js';
import type { GgufFile, GgufTensor } from './gguf-file.js';
import { ggufName } from './names.js';
import type { At } from './progress.js';
import { halfSplit, inOrder, type RowOrder, transpose } from './rearrange.js';
import { writeWhole } from './whole.js';

/** How weights are stored: what transformers.js calls the `dtype`. The graph computes in f32 with either. */
export type WeightType = 'fp32' | 'fp16';

/** ONNX's operator Cast knows types by number. */
const TO_F32 = { attributes: { to: 1 } };

interface Entry {
  readonly name: string;
  readonly tensor: GgufTensor;
  /** `undefined` for what is stored as it is; else the order of rows before they become columns. */
  readonly transposed: RowOrder | undefined;
}

/**
 * The file beside the graph that holds the weights. The graph says which it wants, in what order; that lays
 * out the file. Their values are read, rearranged and written afterwards, one at a time.
 */
export class WeightFile implements DecoderWeights {
  readonly #source: GgufFile;
  readonly #config: ModelConfig;
  readonly #type: WeightType;
  readonly #location: string;
  readonly #entries: Entry[] = [];
  #length = 0;

  /** `location`: the file's name, as the graph refers to it. */
  constructor(source: GgufFile, config: ModelConfig, type: WeightType, location: string) {
    this.#source = source;
    this.#config = config;
    this.#type = type;
    this.#location = location;
  }

  /** Bytes laid out so far. */
  get length(): number {
    return this.#length;
  }

  add = (graph: GraphBuilder, name: string): string => {
    const tensor = this.#find(name);
    return this.#place(graph, tensor.shape, { name, tensor, transposed: undefined });
  };

  addTransposed = (graph: GraphBuilder, name: string, from: string): string => {
    const tensor = this.#find(from);
    const turned = /\.(q|k)_proj\./.test(from);
    const transposed = turned ? halfSplit(this.#config.head_dim) : inOrder;
    return this.#place(graph, [...tensor.shape].reverse(), { name, tensor, transposed });
  };

  /**
   * @throws {ModelError} `UNSUPPORTED` if the source has a tensor that the graph did not ask for: the model
   *   is more than a plain Llama
   */
  requireAllUsed(): void {
    const used = new Set(this.#entries.map(({ tensor }) => tensor.name));
    const left = [...this.#source.tensors.keys()].filter((name) => !used.has(name));
    if (left.length === 0) return;
    throw unsupported(
      `${this.#source.path}: a plain Llama has no tensor ${left.slice(0, 3).join(', ')}`,
      'biases, scaled rotary positions and experts are not converted',
    );
  }

  /** Writes all weights to a file that does not exist yet. */
  async write(path: string, at: At): Promise<void> {
    const file = await open(path, 'wx');
    try {
      let written = 0;
      for (const entry of this.#entries) {
        at(written / this.#length, entry.name);
        const bytes = this.#encode(await this.#values(entry));
        await writeWhole(file, bytes);
        written += bytes.length;
      }
    } finally {
      await file.close();
    }
  }

  #find(name: string): GgufTensor {
    const stored = ggufName(name);
    const tensor = this.#source.tensors.get(stored);
    if (!tensor) {
      throw invalid(`${this.#source.path} has no tensor ${stored}`, 'a part of a split model?');
    }
    requireShape(this.#source.path, tensor, shapeOf(name, this.#config));
    return tensor;
  }

  #place(graph: GraphBuilder, shape: readonly number[], entry: Entry): string {
    this.#entries.push(entry);
    const half = this.#type === 'fp16';
    const length = shape.reduce((a, b) => a * b, half ? 2 : 4);
    const bytes = { location: this.#location, offset: this.#length, length };
    this.#length += length;
    const name = graph.external(entry.name, half ? 'f16' : 'f32', [...shape], bytes);
    return half ? graph.node('Cast', `/${name}`, [name], TO_F32) : name;
  }

  async #values({ tensor, transposed }: Entry): Promise<Float32Array> {
    const values = await this.#source.read(tensor);
    return transposed ? transpose(values, tensor.shape, transposed) : values;
  }

  #encode(values: Float32Array): Uint8Array {
    const { buffer } = this.#type === 'fp16' ? toHalves(values) : values;
    return new Uint8Array(buffer);
  }
}

/** The shape that a Hugging Face checkpoint has under a name. */
function shapeOf(name: string, config: ModelConfig): number[] {
  const { hidden_size: hidden, intermediate_size: inner, head_dim: headDim } = config;
  const queries = config.num_attention_heads * headDim;
  const keys = config.num_key_value_heads * headDim;
  if (/embed_tokens|lm_head/.test(name)) return [config.vocab_size, hidden];
  if (name.includes('q_proj')) return [queries, hidden];
  if (/[kv]_proj/.test(name)) return [keys, hidden];
  if (name.includes('o_proj')) return [hidden, queries];
  if (/(gate|up)_proj/.test(name)) return [inner, hidden];
  if (name.includes('down_proj')) return [hidden, inner];
  return [hidden]; // norms
}

function requireShape(path: string, { name, shape }: GgufTensor, expected: number[]): void {
  if (shape.join() === expected.join()) return;
  throw invalid(
    `${path}: the tensor ${name} is [${shape.join(', ')}], expected [${expected.join(', ')}]`,
    'the sizes in its header and its tensors do not fit: convert the model to GGUF anew',
  );
}
