import { create, toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema, TensorProto_DataType as DataType } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';

import { IDENTITY, runtimeOf } from '../src/runtime.js';

const scalar = (name: string) => {
  const tensor = { elemType: DataType.INT64, shape: { dim: [] } };
  return { name, type: { value: { case: 'tensorType' as const, value: tensor } } };
};

it('runs a graph of one node, y = Identity(x)', () => {
  const model = create(ModelProtoSchema, {
    irVersion: 8n,
    opsetImport: [{ domain: '', version: 13n }],
    graph: {
      name: 'i',
      node: [{ opType: 'Identity', input: ['x'], output: ['y'] }],
      input: [scalar('x')],
      output: [scalar('y')],
    },
  });
  expect(Buffer.from(toBinary(ModelProtoSchema, model)).toString('base64')).toBe(IDENTITY);
});

it('finds the copy of ONNX Runtime that has made a session', async () => {
  const session = await InferenceSession.create(Buffer.from(IDENTITY, 'base64'));
  const runtime = await runtimeOf(session);
  expect(runtime.InferenceSession).toBe(InferenceSession);
  expect(runtime.Tensor).toBe(Tensor);
  await session.release();
});
