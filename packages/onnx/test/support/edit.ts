import { fromBinary, toBinary } from '@bufbuild/protobuf';
import { type GraphProto, type ModelProto, ModelProtoSchema, type NodeProto } from 'onnx-buf';

/** The bytes of a model after a change. */
export function edited(model: Uint8Array, change: (model: ModelProto) => void): Uint8Array {
  const proto = fromBinary(ModelProtoSchema, model);
  change(proto);
  return toBinary(ModelProtoSchema, proto);
}

/** The first node of this operator. */
export function nodeOf({ node }: Pick<GraphProto, 'node'>, opType: string): NodeProto {
  const found = node.find((one) => one.opType === opType);
  if (!found) throw new Error(`the graph has no ${opType}`);
  return found;
}
