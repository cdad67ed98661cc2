import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from '../../graph.js';
import { Facts } from '../facts/facts.js';

/** A value times a number. */
export interface Scaled {
  readonly name: string;
  readonly factor: number;
}

/** One multiplication or division by a number that is known; undefined for any other node. */
export function scaledBy(
  graph: OnnxGraph,
  { opType, input: [a, b] }: NodeProto,
): Scaled | undefined {
  const facts = Facts.of(graph);
  const [left, right] = [facts.scalar(a), facts.scalar(b)];
  if (opType === 'Mul' && right !== undefined) return { name: a, factor: right };
  if (opType === 'Mul' && left !== undefined) return { name: b, factor: left };
  if (opType === 'Div' && right) return { name: a, factor: 1 / right };
  return undefined;
}

/** Takes all numbers off a value: exporters scale queries, keys, both by a square root, or the logits. */
export function unscaled(graph: OnnxGraph, name: string): Scaled {
  const node = graph.producer(name);
  const scaled = node && scaledBy(graph, node);
  if (!scaled) return { name, factor: 1 };
  const inner = unscaled(graph, scaled.name);
  return { name: inner.name, factor: inner.factor * scaled.factor };
}
