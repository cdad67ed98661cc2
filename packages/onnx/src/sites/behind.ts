import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from '../graph.js';

/** Nodes behind which something else begins: projections, other attentions, and what reads sizes alone. */
export const BEGINNINGS: RegExp = /^(MatMul.*|.*MatMul|Gemm|Conv|.*Attention|Gather|Shape)$/;

/**
 * Looks at the values that a value is made of, itself first, back to the projections that they come from. Gives the
 * first that `look` has something to say about.
 */
export function behind<T>(
  graph: OnnxGraph,
  name: string,
  look: (value: string, maker: NodeProto | undefined) => T | undefined,
): T | undefined {
  const open = [name];
  const seen = new Set<string>(['']);
  for (let value = open.pop(); value !== undefined; value = open.pop()) {
    if (seen.has(value)) continue;
    seen.add(value);
    const maker = graph.producer(value);
    const found = look(value, maker);
    if (found !== undefined) return found;
    if (maker && !BEGINNINGS.test(maker.opType)) open.push(...maker.input);
  }
  return undefined;
}
