import type { Tensor } from 'onnxruntime-node';

import type { AttentionConfig, LayerData } from './attention-data.js';
import { unsupported } from './errors.js';
import { type FloatType, toFloat32 } from './floats.js';
import type { AttentionNode } from './onnx/attention-nodes.js';
import { rotate, type RotaryTables } from './rotary.js';

/** The part of the configuration that a layer decides. */
export type LayerShape = Pick<
  AttentionConfig,
  'heads' | 'kvHeads' | 'headDim' | 'valueDim' | 'scale'
>;

type Outputs = Record<string, Tensor>;

/** Gathers one layer's queries over the steps of a run, then its keys and values. */
export class LayerRecorder {
  readonly #node: AttentionNode;
  readonly #tokens: number;
  #shape: LayerShape | undefined;
  #query = new Float32Array(0);
  #tables: RotaryTables | undefined;

  constructor(node: AttentionNode, tokens: number) {
    this.#node = node;
    this.#tokens = tokens;
  }

  get layer(): number {
    return this.#node.layer;
  }

  /** Known after the first step. */
  get shape(): LayerShape {
    return this.#shape!;
  }

  /** Values to take at every step. */
  get outputs(): string[] {
    return [this.#node.query];
  }

  /** Values to take at the first step only. */
  get firstOutputs(): string[] {
    const { rotary } = this.#node;
    return rotary ? [rotary.cos, rotary.sin] : [];
  }

  /** Takes the queries of a step whose first token is at position `from`. */
  record(outputs: Outputs, from: number): void {
    if (from === 0) this.#start(outputs);
    const { heads, headDim } = this.shape;
    const rows = outputs[this.#node.query];
    const [, count, width] = rows.dims as [number, number, number];
    const values = floats(rows);
    for (let token = 0; token < count; token++) {
      for (let head = 0; head < heads; head++) {
        const start = token * width + head * headDim;
        const at = (head * this.#tokens + from + token) * headDim;
        this.#query.set(values.subarray(start, start + headDim), at);
      }
    }
  }

  /** The layer's data; `outputs` are those of the last step. */
  finish(outputs: Outputs): LayerData {
    const { layer, presentKey, presentValue } = this.#node;
    const { headDim } = this.shape;
    if (this.#tables) rotate(this.#query, { tokens: this.#tokens, headDim }, this.#tables);
    const key = floats(outputs[presentKey]);
    return { layer, query: this.#query, key, value: floats(outputs[presentValue]) };
  }

  #start(outputs: Outputs): void {
    const { name, heads, kvHeads, scale, packed, query, rotary } = this.#node;
    const headDim = outputs[this.#node.presentKey].dims[3];
    const valueDim = outputs[this.#node.presentValue].dims[3];
    const width = (packed ? heads + 2 * kvHeads : heads) * headDim;
    const { dims } = outputs[query];
    if (dims.length !== 3 || dims[2] !== width) {
      throw unsupported(
        `node '${name}': expected queries [1, tokens, ${width}] for ${heads} heads of ${headDim}${packed ? ' with packed keys and values' : ''}, got [${dims.join(', ')}]`,
      );
    }
    this.#shape = { heads, kvHeads, headDim, valueDim, scale: scale ?? headDim ** -0.5 };
    this.#query = new Float32Array(heads * this.#tokens * headDim);
    if (!rotary) return;
    const cos = outputs[rotary.cos];
    const tables = { cos: floats(cos), sin: floats(outputs[rotary.sin]) };
    this.#tables = { ...tables, pairs: cos.dims[1], interleaved: rotary.interleaved };
  }
}

const TYPES: Partial<Record<Tensor.Type, FloatType>> = { float32: 'f32', float16: 'f16' };

function floats(tensor: Tensor): Float32Array {
  const type = TYPES[tensor.type];
  if (!type) throw unsupported(`expected float32 or float16 from the graph, got ${tensor.type}`);
  return toFloat32(type, tensor.data as ArrayBufferView);
}
