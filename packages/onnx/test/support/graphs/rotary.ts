import { create } from '@bufbuild/protobuf';
import {
  AttributeProto_AttributeType as AttributeType,
  type GraphProto,
  GraphProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

import { edited } from '../edit.js';
import { type Frame, MICROSOFT, POSITIONS, type SmallModel } from './frame.js';

/** Names of the cosine and sine tables `[POSITIONS, pairs]`, made once for a graph. */
export type Tables = [cos: string, sin: string];

const made = new WeakMap<Frame, Tables>();

/** `pairs` of channels rotate. Default: all of a head. */
export function tables(frame: Frame, pairs: number = frame.sizes.headDim / 2): Tables {
  const names = made.get(frame) ?? writeTables(frame, pairs);
  made.set(frame, names);
  return names;
}

function writeTables(frame: Frame, pairs: number): Tables {
  const angle = (i: number): number => Math.floor(i / pairs) / 100 ** ((i % pairs) / pairs);
  const table = (name: string, f: (x: number) => number): string => {
    const values = Float32Array.from({ length: POSITIONS * pairs }, (_, i) => f(angle(i)));
    return frame.weights.floats(name, [POSITIONS, pairs], values);
  };
  return [table('cos_cache', Math.cos), table('sin_cache', Math.sin)];
}

/** `com.microsoft RotaryEmbedding` of `[B, T, heads * D]`. */
export function rotateMicrosoft(frame: Frame, x: string, interleaved: boolean): string {
  return frame.op('RotaryEmbedding', [x, 'position_ids', ...tables(frame)], {
    domain: MICROSOFT,
    attributes: { interleaved: Number(interleaved) },
  });
}

/** `RotaryEmbedding` of the standard, since operator set 23. */
export function rotateStandard(frame: Frame, x: string, heads: number): string {
  return frame.op('RotaryEmbedding', [x, ...tables(frame), 'position_ids'], {
    attributes: { num_heads: heads },
  });
}

/** `x * cos + rotate_half(x) * sin` of `[B, heads, T, D]`, as PyTorch's exporter writes it. */
export function rotateHalf(frame: Frame, x: string, positions = 'position_ids'): string {
  const [cos, sin] = tables(frame).map((table) => {
    const rows = frame.op('Gather', [table, positions]);
    const twice = frame.op('Concat', [rows, rows], { attributes: { axis: -1 } });
    return frame.op('Unsqueeze', [twice, frame.ints(1)]);
  });
  const half = frame.sizes.headDim / 2;
  const slice = (start: number, end: number): string =>
    frame.op('Slice', [x, frame.ints(start), frame.ints(end), frame.ints(-1)]);
  const turned = frame.op('Concat', [frame.op('Neg', [slice(half, 2 * half)]), slice(0, half)], {
    attributes: { axis: -1 },
  });
  return frame.op('Add', [frame.op('Mul', [x, cos]), frame.op('Mul', [turned, sin])]);
}

/**
 * The same model with its tables chosen by `If`, as models for long texts have it: here both branches give the same,
 * so that the model stays what it was.
 */
export function chosenTables(small: SmallModel): SmallModel {
  const model = edited(small.model, ({ graph }) => {
    const tables = graph!.initializer.filter(({ name }) => /^(cos|sin)_cache$/.test(name));
    graph!.initializer = graph!.initializer.filter((one) => !tables.includes(one));
    graph!.node.unshift(...choice(tables));
  });
  return { ...small, model };
}

/** Behind 32 tokens the tables of `else_branch`. */
function choice(tables: readonly TensorProto[]): NodeProto[] {
  const constant = (name: string, value: number): NodeProto =>
    create(NodeProtoSchema, {
      opType: 'Constant',
      output: [name],
      attribute: [{ name: 'value_int', type: AttributeType.INT, i: BigInt(value) }],
    });
  const step = (opType: string, input: string[], output: string): NodeProto =>
    create(NodeProtoSchema, { opType, name: `/choice/${output}`, input, output: [output] });
  return [
    step('Size', ['attention_mask'], 'choice.tokens'),
    constant('choice.limit', 32),
    step('Less', ['choice.tokens', 'choice.limit'], 'choice.short'),
    create(NodeProtoSchema, {
      ...{ opType: 'If', name: '/choice/If', input: ['choice.short'] },
      output: tables.map(({ name }) => name),
      attribute: ['then_branch', 'else_branch'].map((name) => ({
        ...{ name, type: AttributeType.GRAPH, g: branchOf(name, tables) },
      })),
    }),
  ];
}

function branchOf(branch: string, tables: readonly TensorProto[]): GraphProto {
  return create(GraphProtoSchema, {
    name: branch,
    node: tables.map((tensor) => ({
      ...{ opType: 'Constant', output: [`${branch}.${tensor.name}`] },
      attribute: [{ name: 'value', type: AttributeType.TENSOR, t: tensor }],
    })),
    output: tables.map((tensor) =>
      create(ValueInfoProtoSchema, { name: `${branch}.${tensor.name}` }),
    ),
  });
}
