import type { GraphProto, NodeProto } from 'onnx-buf';

/** Graphs inside a node: the branches of `If`, the body of `Loop`. */
export function subgraphs(node: NodeProto): GraphProto[] {
  return node.attribute.flatMap(({ g, graphs }) => (g ? [g, ...graphs] : graphs));
}

/** Values a node reads, those that its subgraphs take from outside included. */
export function reads(node: NodeProto): string[] {
  const inner = subgraphs(node).flatMap((graph) => {
    const own = new Set([
      ...graph.input.map(({ name }) => name),
      ...graph.initializer.map(({ name }) => name),
      ...graph.node.flatMap(({ output }) => output),
    ]);
    const used = [...graph.node.flatMap(reads), ...graph.output.map(({ name }) => name)];
    return used.filter((name) => !own.has(name));
  });
  return [...node.input, ...inner].filter((name) => name !== '');
}
