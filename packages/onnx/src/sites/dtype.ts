import { type NodeProto, TensorProto_DataType as DataType } from 'onnx-buf';

import { refuse } from './refused.js';

/** The types that attention is computed from. `what`: what is of that type, for the refusal. */
export function dtypeOf(node: NodeProto, what: string, type: DataType | undefined): 'f32' | 'f16' {
  if (type === DataType.FLOAT) return 'f32';
  if (type === DataType.FLOAT16) return 'f16';
  const found = type === undefined ? 'a type that cannot be told' : `type ${DataType[type]}`;
  return refuse(node, `${what} of ${found}`, 'FLOAT or FLOAT16');
}
