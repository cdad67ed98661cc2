import { create, toBinary } from '@bufbuild/protobuf';
import type { RuntimeSession } from '@jit-attention/onnx';
import { ModelProtoSchema, TensorProto_DataType as DataType } from 'onnx-buf';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import { expect, it } from 'vitest';

import { IDENTITY, runtimeOf } from '../src/runtime.js';
import { failure } from './support/failure.js';

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

it('refuses ONNX Runtime in a worker', async () => {
  // As onnxruntime-web does: the worker is sent what it is to read.
  class Session {
    static create = () => Promise.resolve(new Session());
    run({ x }: { x: { data: BigInt64Array } }) {
      structuredClone(x.data, { transfer: [x.data.buffer] });
      return Promise.resolve({ y: x });
    }
    release = () => Promise.resolve();
  }
  await expect(runtimeOf(new Session() as unknown as RuntimeSession)).rejects.toThrow(
    failure('UNSUPPORTED', 'wasm.proxy'),
  );
});
