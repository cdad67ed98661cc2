import type { NodeProto } from 'onnx-buf';

import { Attributes } from '../attributes.js';
import type { OnnxGraph } from '../graph.js';
import type { CacheNames, Operand } from '../site.js';
import { behind } from './behind.js';
import { Facts } from './facts/facts.js';
import { axisOf } from './facts/sizes.js';
import { refuse } from './refused.js';

/** Keys or values of a step, and where the graph itself joins a past to them. */
export interface Stored {
  readonly operand: Operand;
  readonly past?: string | undefined;
  readonly present?: string | undefined;
}

/** The tokens' axis of `[B, G, N, width]`. */
const TOKENS = 2;

/**
 * Follows keys or values back to where they are new, and have the heads of the cache: exporters that write attention
 * in small operators repeat the heads and join the past before it.
 *
 * @throws {Refused} where a cache is part of them in another way
 */
export function storedOf(graph: OnnxGraph, node: NodeProto, operand: Operand): Stored {
  const stored = operand.layout === 'bhtd' ? unjoined(graph, node, operand) : { operand };
  const past = behind(graph, stored.operand.name, (value) =>
    graph.input(value) && graph.shape(value)?.length === 4 ? value : undefined,
  );
  if (past !== undefined)
    refuse(
      node,
      `keys or values that come from input ${past} otherwise than by Concat of the past with them`,
      'self-attention whose cache is [batch, heads, tokens, width]',
    );
  return stored;
}

/** The names of a cache that the graph joins by itself, where both keys and values have one. */
export function joinedCache(node: NodeProto, key: Stored, value: Stored): CacheNames | undefined {
  const { past: pastKey, present: presentKey } = key;
  const { past: pastValue, present: presentValue } = value;
  if (pastKey && pastValue && presentKey && presentValue)
    return { pastKey, pastValue, presentKey, presentValue };
  if (pastKey ?? pastValue) refuse(node, 'a past of keys or of values alone', 'a past of both');
  return undefined;
}

/** `repeat_kv`: `[B, G, N, width]` with a new axis behind the heads, expanded and joined with them. */
function unrepeated(graph: OnnxGraph, name: string): string {
  const facts = Facts.of(graph);
  const joined = producer(graph, name, 'Reshape');
  const expanded = joined && producer(graph, joined.input[0], 'Expand', 'Tile');
  const apart = expanded && producer(graph, expanded.input[0], 'Unsqueeze', 'Reshape');
  if (!apart) return name;
  const source = apart.input[0];
  const [, groups, copies] = facts.dims(apart.output[0]) ?? [];
  return copies === 1 && groups === facts.size(source, 1) ? source : name;
}

const isJoin = (node: NodeProto): boolean =>
  node.opType === 'Concat' && axisOf(new Attributes(node).int('axis', 0), 4) === TOKENS;

function unjoined(graph: OnnxGraph, node: NodeProto, { name, layout }: Operand): Stored {
  const all = unrepeated(graph, name);
  const join = graph.producer(all);
  if (!join || !isJoin(join)) return { operand: { name: all, layout } };
  const [past, rows, more] = join.input;
  const present = join.output[0];
  if (more !== undefined || !graph.input(past))
    refuse(
      node,
      `keys or values that Concat '${join.name}' joins with ${past}`,
      'a past that is an input',
    );
  if (!graph.output(present))
    refuse(
      node,
      `a past ${past} without an output for what comes next`,
      'present keys and values as outputs',
    );
  // sizes of the present are read for masks and positions
  const readers = graph.consumers(present).filter(({ opType }) => opType !== 'Shape');
  if (readers.length > 1)
    refuse(node, `keys or values that node '${readers[1].name}' reads as well`, 'one reader');
  return { operand: { name: rows, layout }, past, present };
}

function producer(graph: OnnxGraph, name: string, ...opTypes: string[]): NodeProto | undefined {
  const node = graph.producer(name);
  return node && opTypes.includes(node.opType) ? node : undefined;
}
