import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from '../graph.js';
import type { CacheNames } from '../site.js';
import { behind } from './behind.js';
import { Facts } from './facts/facts.js';
import { axisOf } from './facts/sizes.js';
import { refuse } from './refused.js';

/** Keys or values `[B, G, N, width]` of a graph that repeats heads and joins the past itself, in small operators. */
export interface Stored {
  /** The new ones. */
  readonly name: string;
  readonly past?: string | undefined;
  readonly present?: string | undefined;
}

/** The tokens' axis of `[B, G, N, width]`. */
const TOKENS = 2;

/** Follows keys or values back to where they are new, and have the heads of the cache. */
export function storedOf(graph: OnnxGraph, node: NodeProto, name: string): Stored {
  const all = unrepeated(graph, name);
  const join = graph.producer(all);
  const stored = join && isJoin(graph, join) ? unjoined(graph, node, join) : { name: all };
  const past = cacheBehind(graph, stored.name);
  if (past !== undefined)
    refuse(
      node,
      `keys or values that come from input ${past} otherwise than by Concat of the past with them`,
      'self-attention whose cache is [batch, heads, tokens, width]',
    );
  return stored;
}

/** The names of a cache, where both keys and values have one. */
export function cacheOf(node: NodeProto, key: Stored, value: Stored): CacheNames | undefined {
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

function isJoin(graph: OnnxGraph, { opType, attribute }: NodeProto): boolean {
  const axis = attribute.find(({ name }) => name === 'axis')?.i ?? 0n;
  return opType === 'Concat' && axisOf(Number(axis), 4) === TOKENS;
}

function unjoined(graph: OnnxGraph, node: NodeProto, join: NodeProto): Stored {
  const [past, name, more] = join.input;
  const present = join.output[0];
  if (more !== undefined || !graph.input(past))
    refuse(
      node,
      `keys or values that Concat '${join.name}' joins with ${past}`,
      'a past that is an input',
    );
  if (!graph.output(present))
    refuse(node, `a past ${past} without an output for what comes next`, 'present keys and values');
  // Sizes of the present are read for masks and positions
  const readers = graph.consumers(present).filter(({ opType }) => opType !== 'Shape');
  if (readers.length > 1)
    refuse(node, `keys or values that node '${readers[1].name}' reads as well`, 'one reader');
  return { name, past, present };
}

/** A graph input of rank 4 that these rows are made of, without a projection in between. */
function cacheBehind(graph: OnnxGraph, name: string): string | undefined {
  return behind(graph, name, (value) =>
    graph.input(value) && graph.shape(value)?.length === 4 ? value : undefined,
  );
}

function producer(graph: OnnxGraph, name: string, ...opTypes: string[]): NodeProto | undefined {
  const node = graph.producer(name);
  return node && opTypes.includes(node.opType) ? node : undefined;
}
