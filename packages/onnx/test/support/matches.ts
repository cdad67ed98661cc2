import { readGraph } from '../../src/graph/read.js';
import type { Match, Refusal } from '../../src/site.js';
import { matchers } from '../../src/sites/index.js';

/** What the matchers say of all nodes of a model; a node is the business of one of them at most. */
export function matchesOf(model: Uint8Array): (Match | Refusal)[] {
  const graph = readGraph('model.onnx', model);
  return graph.nodes.flatMap((node) => {
    const found = matchers.flatMap((matcher) => matcher(graph, node) ?? []);
    if (found.length > 1) throw new Error(`${found.length} matchers know ${node.name}`);
    return found;
  });
}
