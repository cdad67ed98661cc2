import { create } from '@bufbuild/protobuf';
import {
  type AttributeProto,
  AttributeProto_AttributeType as AttributeType,
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  type TensorProto,
  TensorProto_DataType as DataType,
  TensorProtoSchema,
  type ValueInfoProto,
  ValueInfoProtoSchema,
} from 'onnx-buf';

import type { Dim } from '../graph.js';

/** onnxruntime's own operators. */
export const MICROSOFT = 'com.microsoft';

/** A whole number becomes an INT attribute, a list of them INTS, `{ float }` a FLOAT. */
export type AttributeValue = number | readonly number[] | { readonly float: number };

export interface NodeSpec {
  readonly opType: string;
  readonly name: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes?: Readonly<Record<string, AttributeValue>>;
  readonly domain?: string;
}

export function makeNode({ opType, name, inputs, outputs, ...rest }: NodeSpec): NodeProto {
  return create(NodeProtoSchema, {
    ...{ opType, name, input: [...inputs], output: [...outputs] },
    domain: rest.domain ?? '',
    attribute: Object.entries(rest.attributes ?? {}).map(makeAttribute),
  });
}

function makeAttribute([name, value]: [string, AttributeValue]): AttributeProto {
  if (typeof value === 'number')
    return create(AttributeProtoSchema, { name, type: AttributeType.INT, i: BigInt(value) });
  if ('float' in value)
    return create(AttributeProtoSchema, { name, type: AttributeType.FLOAT, f: value.float });
  return create(AttributeProtoSchema, { name, type: AttributeType.INTS, ints: value.map(BigInt) });
}

/** A constant of 64-bit integers: a shape, sizes, axes. */
export function makeIntegers(name: string, values: readonly number[]): TensorProto {
  return create(TensorProtoSchema, {
    name,
    dataType: DataType.INT64,
    dims: [BigInt(values.length)],
    int64Data: values.map(BigInt),
  });
}

/** Declares a value; sizes may be fixed, symbolic, or unknown. Without a shape not even the rank is said. */
export function makeValueInfo(
  name: string,
  elemType: DataType,
  shape?: readonly Dim[],
): ValueInfoProto {
  const value = { elemType, ...(shape && { shape: { dim: shape.map(makeDim) } }) };
  return create(ValueInfoProtoSchema, {
    name,
    type: { value: { case: 'tensorType', value } },
  });
}

function makeDim(size: Dim): object {
  if (size === undefined) return {};
  return typeof size === 'number'
    ? { value: { case: 'dimValue' as const, value: BigInt(size) } }
    : { value: { case: 'dimParam' as const, value: size } };
}
