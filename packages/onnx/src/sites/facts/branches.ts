import type { GraphProto, NodeProto, TensorProto } from 'onnx-buf';

import { declaredShape, declaredType } from '../../graph.js';
import { subgraphs } from '../../graph/subgraphs.js';
import type { Fact } from './fact.js';

/**
 * What an `If` gives, as far as both branches agree. Models with rotary tables for short and for long texts choose
 * between constants so.
 */
export function ofBranches(node: NodeProto): Fact[] {
  const branches = subgraphs(node);
  return node.output.map((_, i) => {
    const [one, other] = branches.map((branch) => outputOf(branch, i));
    const agrees = one.dims?.length === other.dims?.length;
    return {
      type: one.type ?? other.type,
      dims: agrees
        ? one.dims?.map((size, axis) => (size === other.dims![axis] ? size : undefined))
        : undefined,
    };
  });
}

function outputOf(branch: GraphProto, index: number): Fact {
  const output = branch.output[index];
  const tensor = constantOf(branch, output.name);
  if (tensor) return { type: tensor.dataType, dims: tensor.dims.map(Number) };
  const dims = declaredShape(output)?.map((size) => (typeof size === 'number' ? size : undefined));
  return { type: declaredType(output), dims };
}

function constantOf({ initializer, node }: GraphProto, name: string): TensorProto | undefined {
  const maker = node.find(({ output, opType }) => opType === 'Constant' && output[0] === name);
  return initializer.find((tensor) => tensor.name === name) ?? maker?.attribute[0]?.t;
}
