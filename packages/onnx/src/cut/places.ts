import { type NodeProto, type TensorProto, TensorProto_DataType as DataType } from 'onnx-buf';

import type { AttentionSite, Operand, Projections } from '../site.js';
import { makeIntegers, makeNode, MICROSOFT, type NodeSpec } from './nodes.js';

/** The positions `[B, T]`, i64, of a step's tokens: fed by us where a rotation counts on from the past. */
export const POSITIONS = 'jit-attention.positions';

/**
 * A place in the graph where an attention was. It takes three values and gives one, all f32 and in one layout. What
 * the replaced node did besides attending (splitting, adding a bias, normalising, rotating) is written out in nodes
 * that ONNX Runtime runs with the model's own tables.
 */
export interface Place {
  readonly site: AttentionSite;
  /** `bthd` is `[B, T, heads * width]` in the graph; the numbers lie the same. */
  readonly layout: 'bthd' | 'bhtd';
  readonly query: string;
  readonly key: string;
  readonly value: string;
  /** A value that we give. */
  readonly output: string;
  /** Nodes before and behind it, and the constants that they need. */
  readonly nodes: readonly NodeProto[];
  readonly constants: readonly TensorProto[];
}

const KINDS = ['query', 'key', 'value'] as const;
type Kind = (typeof KINDS)[number];
type Operands = Record<Kind, Operand>;

/** @param opset the version of ai.onnx that the model is written in */
export function placeOf(site: AttentionSite, opset: number): Place {
  const draft = new Draft(site, opset);
  const layout = layoutOf(site.inputs);
  let operands = draft.separate(site.inputs);
  if (site.bias) operands = draft.addBias(operands, site.bias.name);
  if (site.norm) operands = draft.normalise(operands);
  if (site.rotary) operands = draft.rotate(operands);
  const [query, key, value] = KINDS.map((kind) => draft.finish(operands[kind], kind, layout));
  const output = draft.giveBack(layout);
  const { nodes, constants } = draft;
  return { site, layout, query, key, value, output, nodes, constants };
}

/** As the operands lie, where they agree: then nothing is moved. */
function layoutOf(inputs: Projections): 'bthd' | 'bhtd' {
  if (inputs.kind !== 'separate') return 'bthd';
  return KINDS.every((kind) => inputs[kind].layout === 'bhtd') ? 'bhtd' : 'bthd';
}

/** Collects nodes and constants under names that no graph has. */
class Draft {
  readonly nodes: NodeProto[] = [];
  readonly constants: TensorProto[] = [];
  readonly #site: AttentionSite;
  readonly #opset: number;
  readonly #prefix: string;

  constructor(site: AttentionSite, opset: number) {
    this.#site = site;
    this.#opset = opset;
    this.#prefix = `jit-attention.${site.layer}`;
  }

  /** Takes packed projections apart; each part comes as `btc`. */
  separate(inputs: Projections): Operands {
    const { heads, kvHeads, headDim, valueDim } = this.#site;
    switch (inputs.kind) {
      case 'separate':
        return inputs;
      case 'packed': {
        const sizes = [heads * headDim, kvHeads * headDim, kvHeads * valueDim];
        const names = this.#split(inputs.name, 'packed', sizes, 2);
        return operandsOf(names.map((name): Operand => ({ name, layout: 'btc' })));
      }
      case 'interleaved':
        return operandsOf(this.#takeApart(inputs.name, 3));
      case 'interleavedKeyValue': {
        const [key, value] = this.#takeApart(inputs.name, 2);
        return { query: inputs.query, key, value };
      }
    }
  }

  addBias(operands: Operands, bias: string): Operands {
    const { heads, kvHeads, headDim, valueDim } = this.#site;
    const sizes = [heads * headDim, kvHeads * headDim, kvHeads * valueDim];
    const biases = this.#split(bias, 'bias', sizes, 0);
    return this.#each(operands, (operand, kind) => {
      const { name } = this.#as(operand, kind, 'btc');
      const inputs = [name, biases[KINDS.indexOf(kind)]];
      return { name: this.#node('Add', `${kind}.biased`, inputs), layout: 'btc' };
    });
  }

  normalise(operands: Operands): Operands {
    const { query, key, epsilon } = this.#site.norm!;
    const attributes = { axis: -1, epsilon: { float: epsilon } };
    return this.#each(operands, (operand, kind) => {
      if (kind === 'value') return operand;
      const { name, layout } = operand.layout === 'btc' ? this.#as(operand, kind, 'bthd') : operand;
      const inputs = [name, kind === 'query' ? query : key];
      const op = 'SimplifiedLayerNormalization';
      return { name: this.#node(op, `${kind}.normed`, inputs, { attributes }), layout };
    });
  }

  rotate(operands: Operands): Operands {
    const { rotary, headDim, heads, kvHeads } = this.#site;
    const { cos, sin, interleaved, channels, positions = POSITIONS } = rotary!;
    const partial = channels < headDim;
    return this.#each(operands, (operand, kind) => {
      if (kind === 'value') return operand;
      const { name, layout } = operand.layout === 'bthd' ? this.#as(operand, kind, 'btc') : operand;
      const attributes = {
        interleaved: Number(interleaved),
        num_heads: kind === 'query' ? heads : kvHeads,
        ...(partial && { rotary_embedding_dim: channels }),
      };
      const options = { attributes, domain: MICROSOFT };
      const inputs = [name, positions, cos, sin];
      return { name: this.#node('RotaryEmbedding', `${kind}.rotated`, inputs, options), layout };
    });
  }

  /** What we read: in f32, in the place's layout. */
  finish(operand: Operand, kind: Kind, layout: Place['layout']): string {
    const laid =
      operand.layout === layout || (operand.layout === 'btc' && layout === 'bthd')
        ? operand
        : this.#as(operand, kind, layout);
    if (this.#site.dtype === 'f32') return laid.name;
    const attributes = { to: DataType.FLOAT };
    return this.#node('Cast', `${kind}.f32`, [laid.name], { attributes });
  }

  /** From what we give to the value that the graph goes on with. */
  giveBack(layout: Place['layout']): string {
    const { output, heads, valueDim, dtype } = this.#site;
    const given = `${this.#prefix}.output`;
    let name = given;
    if (dtype === 'f16') {
      name = this.#node('Cast', 'output.f16', [name], { attributes: { to: DataType.FLOAT16 } });
    }
    const from: Operand = { name, layout: layout === 'bthd' ? 'btc' : layout };
    const { name: last } = this.#moved(from, 'output', output.layout, { heads, width: valueDim });
    this.#push({
      ...{ opType: 'Identity', name: `${this.#prefix}.end` },
      ...{ inputs: [last], outputs: [output.name] },
    });
    return given;
  }

  #as(operand: Operand, kind: Kind, layout: Operand['layout']): Operand {
    const { heads, kvHeads, headDim, valueDim } = this.#site;
    return this.#moved(operand, kind, layout, {
      heads: kind === 'query' ? heads : kvHeads,
      width: kind === 'value' ? valueDim : headDim,
    });
  }

  #moved(
    { name, layout }: Operand,
    label: string,
    to: Operand['layout'],
    { heads, width }: { heads: number; width: number },
  ): Operand {
    if (layout === to) return { name, layout };
    let moved = name;
    if (layout === 'btc') moved = this.#reshape(moved, `${label}.heads`, [0, 0, heads, width]);
    if ((layout === 'bhtd') !== (to === 'bhtd')) {
      const attributes = { perm: [0, 2, 1, 3] };
      moved = this.#node('Transpose', `${label}.turned`, [moved], { attributes });
    }
    if (to === 'btc') moved = this.#reshape(moved, `${label}.flat`, [0, 0, heads * width]);
    return { name: moved, layout: to };
  }

  /** `[B, T, H, count, D]` into `count` parts `[B, T, H * D]`. */
  #takeApart(name: string, count: number): Operand[] {
    const { heads, headDim } = this.#site;
    const parts = this.#split(name, 'interleaved', new Array<number>(count).fill(1), 3);
    return parts.map((part, i) => ({
      name: this.#reshape(part, `part.${i}`, [0, 0, heads * headDim]),
      layout: 'btc',
    }));
  }

  #split(name: string, label: string, sizes: readonly number[], axis: number): string[] {
    const outputs = sizes.map((_, i) => `${this.#prefix}.${label}.${i}`);
    const common = { opType: 'Split', name: `${this.#prefix}.${label}`, outputs };
    // sizes have been an input since version 13
    if (this.#opset < 13)
      this.#push({ ...common, inputs: [name], attributes: { axis, split: sizes } });
    else {
      const inputs = [name, this.#integers(`${label}.sizes`, sizes)];
      this.#push({ ...common, inputs, attributes: { axis } });
    }
    return outputs;
  }

  #reshape(name: string, label: string, shape: readonly number[]): string {
    return this.#node('Reshape', label, [name, this.#integers(`${label}.shape`, shape)]);
  }

  #integers(label: string, values: readonly number[]): string {
    const name = `${this.#prefix}.${label}`;
    this.constants.push(makeIntegers(name, values));
    return name;
  }

  #node(
    opType: string,
    label: string,
    inputs: readonly string[],
    options: Pick<NodeSpec, 'attributes' | 'domain'> = {},
  ): string {
    const name = `${this.#prefix}.${label}`;
    this.#push({ opType, name, inputs, outputs: [name], ...options });
    return name;
  }

  #push(spec: NodeSpec): void {
    this.nodes.push(makeNode(spec));
  }

  #each(operands: Operands, map: (operand: Operand, kind: Kind) => Operand): Operands {
    return operandsOf(KINDS.map((kind) => map(operands[kind], kind)));
  }
}

function operandsOf([query, key, value]: readonly Operand[]): Operands {
  return { query, key, value };
}
