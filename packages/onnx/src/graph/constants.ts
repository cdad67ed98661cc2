import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  type GraphProto,
  type NodeProto,
  type TensorProto,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
} from 'onnx-buf';

/** Turns `Constant` nodes into initializers, so that a constant is one thing from here on. */
export function constantsToInitializers(graph: GraphProto): void {
  const rest: NodeProto[] = [];
  for (const node of graph.node) {
    const tensor = isConstant(node) ? tensorOf(node) : undefined;
    if (tensor) graph.initializer.push(tensor);
    else rest.push(node);
  }
  graph.node = rest;
}

const isConstant = ({ opType, domain }: NodeProto): boolean =>
  opType === 'Constant' && (domain === '' || domain === 'ai.onnx');

/** Undefined for what no tensor of numbers is: strings, sparse tensors. */
function tensorOf({ attribute: [attribute], output: [name] }: NodeProto): TensorProto | undefined {
  if (!attribute) return undefined;
  if (attribute.name === 'value' && attribute.t) {
    attribute.t.name = name;
    return attribute.t;
  }
  const numbers = numbersOf(attribute);
  return numbers && create(TensorProtoSchema, { name, ...numbers });
}

type Numbers = Pick<TensorProto, 'dataType' | 'dims'> &
  Partial<Pick<TensorProto, 'floatData' | 'int64Data'>>;

function numbersOf(attribute: AttributeProto): Numbers | undefined {
  switch (attribute.name) {
    case 'value_float':
      return { dataType: DataType.FLOAT, dims: [], floatData: [attribute.f] };
    case 'value_floats':
      return {
        dataType: DataType.FLOAT,
        dims: [BigInt(attribute.floats.length)],
        floatData: attribute.floats,
      };
    case 'value_int':
      return { dataType: DataType.INT64, dims: [], int64Data: [attribute.i] };
    case 'value_ints':
      return {
        dataType: DataType.INT64,
        dims: [BigInt(attribute.ints.length)],
        int64Data: attribute.ints,
      };
    default:
      return undefined;
  }
}
