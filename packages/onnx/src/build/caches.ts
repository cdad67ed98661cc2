import { inputError } from '@jit-attention/core';

import type { OnnxGraph } from '../graph.js';
import { typeName } from '../graph/types.js';
import type { LeftCache } from '../run/context.js';
import { elementsOf, isElementType, makeTensor } from '../run/tensors.js';
import type { Runtime, RuntimeTensor, RuntimeValue } from '../runtime.js';
import type { AttentionSite } from '../site.js';

/** The caches that a graph carries in and out. */
export interface Caches {
  /** Of layers that are ours: dropped from the graph. */
  readonly ours: { readonly pasts: ReadonlySet<string>; readonly presents: ReadonlySet<string> };
  /** Of layers that were left to ONNX Runtime. */
  readonly left: readonly LeftCache[];
}

/** @throws {InputError} `UNSUPPORTED` for a past that comes out under no name that is known */
export function cachesOf(
  runtime: Runtime,
  graph: OnnxGraph,
  ours: readonly AttentionSite[],
): Caches {
  const names = ours.flatMap(({ cache }) => (cache ? [cache] : []));
  const pasts = new Set(names.flatMap(({ pastKey, pastValue }) => [pastKey, pastValue]));
  const presents = new Set(
    names.flatMap(({ presentKey, presentValue }) => [presentKey, presentValue]),
  );
  const left = graph.inputs
    .filter(({ name }) => /^past/.test(name) && !pasts.has(name))
    .map(({ name }) => leftCache(runtime, graph, name));
  return { ours: { pasts, presents }, left };
}

function leftCache(runtime: Runtime, graph: OnnxGraph, past: string): LeftCache {
  const present = [/^past_key_values/, /^past_key/, /^past/]
    .map((prefix) => past.replace(prefix, 'present'))
    .concat(past.replace('past', 'present'))
    .find((name) => graph.output(name));
  if (present === undefined) {
    throw inputError(`${graph.file}: input ${past}`, 'an output present… beside it', 'none', {
      code: 'UNSUPPORTED',
    });
  }
  return { past, present, empty: (batch) => withoutNumbers(runtime, graph, past, [batch, 0]) };
}

/**
 * What is fed for a past of ours whose size the graph asks for (`Shape`), to count positions or to build a mask that
 * is not ours: the sizes without numbers, `[batch, kvHeads, past, 0]`.
 */
export function sizeOfPast(
  runtime: Runtime,
  graph: OnnxGraph,
  name: string,
): (batch: number, past: number) => RuntimeTensor {
  return (batch, past) => withoutNumbers(runtime, graph, name, [batch, past, 0]);
}

/** Sizes as declared, the first symbolic one for the batch, the next for the past. */
function withoutNumbers(
  runtime: Runtime,
  graph: OnnxGraph,
  name: string,
  [batch, past, width]: readonly [batch: number, past: number, width?: number],
): RuntimeTensor {
  const type = typeName(graph.elementType(name));
  const shape = graph.shape(name) ?? [];
  if (!isElementType(type) || shape.length !== 4) {
    throw inputError(
      `${graph.file}: input ${name}`,
      'a cache of rank 4',
      `${type} ${shape.length}`,
      {
        code: 'UNSUPPORTED',
      },
    );
  }
  const dims = shape.map((size, axis) => {
    if (axis === 3 && width !== undefined) return width;
    if (typeof size === 'number') return size;
    return axis === 0 ? batch : past;
  });
  return makeTensor(runtime, type, elementsOf(type, []), dims);
}

/** How such a past is declared: with no fixed size. */
export function declaredPast(graph: OnnxGraph, name: string): RuntimeValue {
  const type = typeName(graph.elementType(name)) ?? '';
  return { name, isTensor: true, type, shape: [-1, -1, -1, -1] };
}
