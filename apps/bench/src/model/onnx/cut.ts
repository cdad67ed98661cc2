import { create } from '@bufbuild/protobuf';
import { type GraphProto, type NodeProto, ValueInfoProtoSchema } from 'onnx-buf';

import { reads } from './node.js';

/**
 * Makes `outputs` the graph's outputs and drops what they do not need: the layers behind the last one
 * wanted, and the logits, which at 4,096 tokens of a large vocabulary are gigabytes.
 */
export function cutTo(graph: GraphProto, outputs: Iterable<string>): void {
  const known = new Map([...graph.output, ...graph.valueInfo].map((info) => [info.name, info]));
  const names = [...new Set(outputs)];
  const needed = neededFor(graph, names);
  graph.output = names.map((name) => known.get(name) ?? create(ValueInfoProtoSchema, { name }));
  graph.node = graph.node.filter((node) => node.output.some((name) => needed.has(name)));
  graph.initializer = graph.initializer.filter(({ name }) => needed.has(name));
  graph.sparseInitializer = graph.sparseInitializer.filter(({ values }) =>
    needed.has(values?.name ?? ''),
  );
  graph.input = graph.input.filter(({ name }) => needed.has(name));
  graph.valueInfo = graph.valueInfo.filter(({ name }) => needed.has(name));
}

/** The names of all values that `outputs` depend on, themselves included. */
function neededFor(graph: GraphProto, outputs: string[]): Set<string> {
  const producers = new Map<string, NodeProto>();
  for (const node of graph.node) for (const name of node.output) producers.set(name, node);
  const needed = new Set<string>();
  const open = [...outputs];
  while (open.length > 0) {
    const name = open.pop()!;
    if (needed.has(name)) continue;
    needed.add(name);
    const producer = producers.get(name);
    if (producer) open.push(...reads(producer));
  }
  return needed;
}
