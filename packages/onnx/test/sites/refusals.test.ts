import {
  type GraphProto,
  type ModelProto,
  type NodeProto,
  TensorProto_DataType as DataType,
} from 'onnx-buf';
import { describe, expect, test } from 'vitest';

import { isRefusal } from '../../src/site.js';
import {
  addNode,
  addReader,
  connect,
  dropOutput,
  edited,
  insertAt,
  nodeOf,
  retype,
  setFloat,
  setInt,
  setOpset,
  setString,
} from '../support/edit.js';
import { FAMILIES, SIZES } from '../support/graphs/index.js';
import { matchesOf } from '../support/matches.js';

interface Case {
  /** What the refusal says that it found. */
  readonly found: string;
  readonly supported: string;
  /** The kind that is made into what is not supported. Default: the first of its family. */
  readonly kind?: string;
  readonly change: (node: NodeProto, graph: GraphProto, model: ModelProto) => void;
}

const CASES: Readonly<Record<string, readonly Case[]>> = {
  GroupQueryAttention: [
    {
      found: 'attribute k_quant_type PER_TENSOR',
      supported: 'k_quant_type NONE',
      change: (node) => setString(node, 'k_quant_type', 'PER_TENSOR'),
    },
    {
      found: 'attribute sliding_window_cache 1',
      supported: 'sliding_window_cache 0',
      change: (node) => setInt(node, 'sliding_window_cache', 1),
    },
    {
      found: 'attribute qk_output 2',
      supported: 'qk_output 0',
      change: (node) => setInt(node, 'qk_output', 2),
    },
    {
      found: 'attribute of_tomorrow',
      supported: 'GroupQueryAttention with num_heads, kv_num_heads',
      change: (node) => setInt(node, 'of_tomorrow', 1),
    },
    {
      found: 'attribute num_heads 0',
      supported: 'num_heads from 1',
      change: (node) => setInt(node, 'num_heads', 0),
    },
    {
      found: 'num_heads 4 on kv_num_heads 3',
      supported: 'a multiple',
      change: (node) => setInt(node, 'kv_num_heads', 3),
    },
    {
      found: 'attribute local_window_size 8 with causal 0',
      supported: 'causal 1',
      change: (node) => {
        setInt(node, 'local_window_size', 8);
        setInt(node, 'causal', 0);
      },
    },
    {
      found: 'input 12 (k_scale)',
      supported: 'nodes without k_scale',
      change: (node) => connect(node, 12, 'embedding'),
    },
    {
      found: 'input 16',
      supported: 'GroupQueryAttention with 16 inputs',
      change: (node) => connect(node, 16, 'embedding'),
    },
    {
      found: 'no input seqlens_k',
      supported: 'nodes with seqlens_k',
      change: (node) => connect(node, 5, ''),
    },
    {
      found: 'input 11 (head_sink), computed in the graph',
      supported: 'a constant head_sink',
      change: (node) => connect(node, 11, node.input[0]),
    },
    {
      found: 'input 11 (head_sink) of shape [23, 64]',
      supported: '[4]',
      change: (node) => connect(node, 11, 'embedding'),
    },
    {
      found: 'input 14 (q_norm_weight) with do_rotary 0',
      supported: 'do_rotary 1',
      change: (node) => connect(node, 14, 'embedding'),
    },
    {
      found: 'input 3 (past_key) that is computed in the graph',
      supported: 'an input of the model',
      change: (node) => connect(node, 3, node.input[1]),
    },
    {
      found: 'input 4 (past_value) alone',
      supported: 'past_key and past_value',
      change: (node) => connect(node, 3, ''),
    },
    {
      found: 'output 1 (present_key) that is no output of the model',
      supported: 'an output of the model',
      change: (node, graph) => dropOutput(graph, node.output[1]),
    },
    {
      found: 'come from input past_key_values.0.key otherwise than by Concat',
      supported: 'self-attention',
      change: (node, graph) => {
        insertAt(graph, node, 1, 'Add', 'past_key_values.0.key');
      },
    },
    {
      found: 'input 7 (cos_cache) of a width that cannot be told',
      supported: 'a table',
      kind: 'rotary inside',
      change: (node, graph) => insertAt(graph, node, 7, 'UnknownOperator'),
    },
    {
      found: "output 1 (present_key) that node 'reader' reads",
      supported: 'an output alone',
      change: (node, graph) => addReader(graph, node.output[1]),
    },
    {
      found: 'output 1 (present_key)',
      supported: 'nodes without present_key',
      change: (node) => {
        connect(node, 3, '');
        connect(node, 4, '');
      },
    },
    {
      found: 'input 0 (query) of type DOUBLE',
      supported: 'FLOAT or FLOAT16',
      change: (_, graph) => retype(graph, DataType.DOUBLE),
    },
    {
      found: 'input 0 (query) of type BFLOAT16',
      supported: 'FLOAT or FLOAT16',
      change: (_, graph) => retype(graph, DataType.BFLOAT16),
    },
  ],
  MultiHeadAttention: [
    {
      found: 'attribute mask_filter_value -1',
      supported: 'at most -1000',
      kind: 'keys padded',
      change: (node) => setFloat(node, 'mask_filter_value', -1),
    },
    {
      found: 'input 4 (key_padding_mask) of rank 3',
      supported: 'rank 1 or 2',
      change: (node) => connect(node, 4, node.input[0]),
    },
    {
      found: 'input 8 (past_sequence_length)',
      supported: 'nodes without past_sequence_length',
      change: (node) => connect(node, 8, 'embedding'),
    },
    {
      found: 'input 9 (cache_indirection)',
      supported: 'nodes without cache_indirection',
      change: (node) => connect(node, 9, 'embedding'),
    },
    {
      found: 'input 3 (bias), computed in the graph',
      supported: 'a constant bias',
      change: (node) => connect(node, 3, node.input[0]),
    },
    {
      found: 'unidirectional 1 with a past that Concat joins',
      supported: 'a mask',
      kind: 'past joined outside',
      change: (node) => setInt(node, 'unidirectional', 1),
    },
    {
      found: 'input 0 (query) of width 64',
      supported: 'a multiple of 3',
      change: (node) => setInt(node, 'num_heads', 3),
    },
  ],
  Attention: [
    {
      found: 'operator set 25',
      supported: 'operator set 23 or 24',
      change: (_, __, model) => setOpset(model, 25),
    },
    {
      found: 'attribute softmax_precision 11',
      supported: 'FLOAT (1) or less',
      change: (node) => setInt(node, 'softmax_precision', 11),
    },
    {
      found: 'output 3 (qk_matmul_output)',
      supported: 'nodes without qk_matmul_output',
      change: (node, graph) => {
        node.output[3] = 'products';
        addReader(graph, 'products');
      },
    },
    {
      found: 'attribute is_causal 1',
      supported: 'is_causal 0',
      kind: 'past joined outside',
      change: (node) => setInt(node, 'is_causal', 1),
    },
    {
      found: 'attribute q_num_heads 0',
      supported: 'q_num_heads from 1',
      change: (node) => setInt(node, 'q_num_heads', 0),
    },
  ],
  Softmax: [
    { found: 'attribute axis 1', supported: 'axis -1', change: (node) => setInt(node, 'axis', 1) },
    {
      found: "Sigmoid 'between' between the product and the softmax",
      supported: 'logits that are scaled',
      change: (node, graph) => insertAt(graph, node, 0, 'Sigmoid'),
    },
    {
      found: 'two products of queries and keys',
      supported: 'logits that are scaled',
      change: (node, graph) => insertAt(graph, node, 0, 'Add', productOf(graph)),
    },
    {
      found: 'attribute transA of FusedMatMul',
      supported: 'transA 0',
      kind: 'FusedMatMul',
      change: (_, graph) => setInt(nodeOf(graph, 'FusedMatMul'), 'transA', 1),
    },
    {
      found: 'a last weight cut off, and 1472 sinks',
      supported: '4 sinks that Concat joins',
      kind: 'head sinks',
      change: (_, graph) => {
        const expand = graph.node.find(({ input }) => input[0].endsWith('/sinks'))!;
        connect(expand, 0, 'embedding');
      },
    },
    {
      found: 'between the softmax and the values',
      supported: 'attention weights',
      change: (node, graph) => {
        const [reader] = graph.node.filter(({ input }) => input[0] === node.output[0]);
        insertAt(graph, reader, 0, 'Relu');
      },
    },
    {
      found: 'that others read',
      supported: 'weights that meet the values alone',
      change: (node, graph) => addReader(graph, node.output[0]),
    },
    {
      found: 'nodes and nobody else read',
      supported: 'logits that are scaled',
      change: (node, graph) => addReader(graph, node.input[0]),
    },
    {
      found: 'that puts -10 for a logit',
      supported: 'logits that are scaled',
      kind: 'Where hides',
      change: (_, graph) => fillWith(graph, -10),
    },
    {
      found: 'that are not transposed just before it',
      supported: 'Transpose with perm 0,1,3,2 or 0,2,3,1',
      change: (_, graph) => setPerm(graph, [0, 1, 2, 3]),
    },
    {
      found: 'otherwise than by Concat',
      supported: 'self-attention whose cache is [batch, heads, tokens, width]',
      change: (_, graph) => (nodeOf(graph, 'Concat').opType = 'Max'),
    },
    {
      found: 'a past past_key_values.0.key without an output',
      supported: 'present keys and values',
      change: (_, graph) => dropOutput(graph, 'present.0.key'),
    },
  ],
};

/** Another product of the same queries and keys. */
function productOf(graph: GraphProto): string {
  const product = nodeOf(graph, 'Div').input[0];
  const { input } = graph.node.find(({ output }) => output[0] === product)!;
  return addNode(graph, 'MatMul', input);
}

/** The number that `masked_fill` fills in. */
function fillWith(graph: GraphProto, value: number): void {
  const [, name] = nodeOf(graph, 'Where').input;
  const tensor = graph.initializer.find((one) => one.name === name)!;
  tensor.rawData = new Uint8Array(Float32Array.of(value).buffer);
}

/** How keys are transposed for their product. */
function setPerm(graph: GraphProto, perm: readonly number[]): void {
  const transpose = graph.node.find(
    ({ opType, attribute }) => opType === 'Transpose' && attribute[0].ints.join() === '0,1,3,2',
  )!;
  transpose.attribute[0].ints = perm.map(BigInt);
}

describe.each(Object.entries(CASES))('%s', (family, cases) => {
  test.each(cases)('$found', ({ kind, change, found, supported }) => {
    const { write } = FAMILIES[family].find(({ name }) => name === kind) ?? FAMILIES[family][0];
    const model = edited(write({ ...SIZES, layers: 1 }).model, (proto) =>
      change(nodeOf(proto.graph!, family), proto.graph!, proto),
    );
    const [refusal, ...more] = matchesOf(model);
    expect(more).toEqual([]);
    expect(isRefusal(refusal)).toBe(true);
    expect(refusal).toMatchObject({
      found: expect.stringContaining(found) as string,
      supported: expect.stringContaining(supported) as string,
    });
    expect(refusal.node.opType).toBe(family);
  });
});

test('an operator that is not taken over is named', () => {
  const model = edited(FAMILIES['MultiHeadAttention'][4].write(SIZES).model, ({ graph }) => {
    nodeOf(graph!, 'MultiHeadAttention').opType = 'QAttention';
  });
  expect(matchesOf(model)[0]).toMatchObject({ found: 'operator com.microsoft QAttention' });
});
