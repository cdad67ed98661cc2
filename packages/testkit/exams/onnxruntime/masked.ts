import type { Backend } from '@jit-attention/core';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';

import { type HostArray, range, sizeOf, take } from '../../src/array.js';
import { attend, randomSelection } from '../../src/backend/attend.js';
import { Bench } from '../../src/backend/bench.js';
import { type Context, contexts, type Material, materialOf } from '../../src/backend/context.js';
import { type Kind, KINDS } from '../../src/backend/selections.js';
import { type BackendSuite, property } from '../../src/backend/suite.js';
import { assertClose, headsOf, type Mask, maskOf, type Runner } from '../../src/index.js';
import { AGREEMENT, joinHeads, MICROSOFT, runOperator, splitHeads, tensorOf } from './operator.js';

/** An outside opinion: ONNX Runtime's operators on the same numbers, given the mask that a selection stands for. */
export function testMasked(runner: Runner, suite: BackendSuite): void {
  const opinions = {
    'Attention (opset 23), with a boolean mask': attention,
    'MultiHeadAttention, with the mask as a bias': multiHeadAttention,
  };
  runner.describe(`ONNX Runtime agrees, ${suite.name}`, () => {
    for (const [name, opinion] of Object.entries(opinions)) {
      const cases = [contexts(), fc.constantFrom(...KINDS)] as const;
      property(runner, suite, name, [...cases], (backend, context, kind) =>
        agrees(backend, context, kind, opinion),
      );
    }
  });
}

/** Gives `[batch, heads, tokens, valueDim]`; the mask is `[batch, heads, tokens, entries]`. */
type Opinion = (context: Context, material: Material, mask: HostArray) => Promise<Float32Array>;

async function agrees(
  backend: Backend,
  context: Context,
  kind: Kind,
  opinion: Opinion,
): Promise<void> {
  const plain = { ...context, softcap: undefined }; // Neither operator caps a logit before it masks it.
  const material = materialOf(plain);
  const selection = randomSelection(plain, kind);
  const bench = new Bench(backend);
  const { kvHeads, lengths, visible, group, valueDim } = plain;
  const spec = { positions: material.positions, kvHeads, lengths, visible };
  const mask = perHead(await maskOf(bench.selection(selection), spec), group);
  const { output, logSumExp, counts } = attend(bench, plain, material, { selection });
  const isRead = readersOf(mask, valueDim);
  const [ours, theirs] = [await output.data(), await opinion(plain, material, mask)];
  assertClose('output', ours.filter(isRead), theirs.filter(isRead), { tolerance: AGREEMENT });
  for (const tensor of [output, logSumExp, counts]) tensor.dispose();
  bench.clear();
}

/** ONNX Runtime shares the mass evenly where nothing is read; we give zeros, and leave such queries out. */
function readersOf({ shape, data }: HostArray, width: number): (_: number, i: number) => boolean {
  const entries = shape[3];
  const reads = Array.from({ length: data.length / entries }, (_, i) =>
    data.subarray(i * entries, (i + 1) * entries).includes(1),
  );
  return (_, i) => reads[Math.floor(i / width)];
}

/** A mask for every query head, padded to at least one entry. */
function perHead({ shape, data }: Mask, group: number): HostArray {
  const [batch, kvHeads, tokens, entries] = shape;
  const rows = { shape: [batch, kvHeads, tokens, Math.max(1, entries)], data: new Float32Array(0) };
  rows.data = entries === 0 ? new Float32Array(sizeOf(rows.shape)) : Float32Array.from(data);
  return take(rows, 1, owners(kvHeads * group, group));
}

/** The kv head of each query head. */
const owners = (heads: number, group: number): number[] =>
  range(0, heads).map((head) => Math.floor(head / group));

const attention: Opinion = ({ headDim, valueDim }, { query, keyRows, valueRows }, mask) =>
  runOperator(
    {
      opType: 'Attention',
      attributes: { scale: { float: headDim ** -0.5 } },
      ...{ inputs: ['query', 'key', 'value', 'mask'], outputs: ['output'] },
    },
    {
      query: tensorOf(query),
      key: tensorOf(keyRows),
      value: tensorOf(narrowed(valueRows, valueDim)),
      mask: new Tensor('bool', Uint8Array.from(mask.data), mask.shape),
    },
  );

const multiHeadAttention: Opinion = async (context, { query, keyRows, valueRows }, mask) => {
  const { headDim, valueDim, group } = context;
  const heads = headsOf(context);
  const [key, value] = [keyRows, narrowed(valueRows, valueDim)].map((rows) =>
    tensorOf(joinHeads(take(rows, 1, owners(heads, group)))),
  );
  const bias = { ...mask, data: mask.data.map((bit) => (bit ? 0 : -1e30)) };
  const output = await runOperator(
    {
      ...{ opType: 'MultiHeadAttention', domain: MICROSOFT },
      attributes: { num_heads: heads, scale: { float: headDim ** -0.5 } },
      inputs: ['query', 'key', 'value', '', '', 'bias'],
      outputs: ['output'],
    },
    { query: tensorOf(joinHeads(query)), key, value, bias: tensorOf(bias) },
  );
  const [batch, , tokens] = query.shape;
  return splitHeads({ shape: [batch, tokens, heads * valueDim], data: output }, heads).data;
};

/** The first channels of each row: values that are a prefix of their keys. */
const narrowed = (rows: HostArray, width: number): HostArray => take(rows, 3, range(0, width));
