import { inputError } from '@jit-attention/core';

import type { AttentionNode } from './attention-nodes.js';
import { cutTo } from './cut.js';
import type { OnnxFile } from './file.js';

/**
 * Cuts the graph down to what the queries, keys and values of `chosen` layers need.
 *
 * @returns the nodes among `all` that still run; all of their caches are outputs of the graph
 */
export function cutToLayers(
  { graph }: OnnxFile,
  all: AttentionNode[],
  chosen: AttentionNode[],
): AttentionNode[] {
  const tables = chosen.flatMap(({ rotary }) => (rotary ? [rotary.cos, rotary.sin] : []));
  const wanted = [...chosen.map(({ query }) => query), ...tables, ...chosen.flatMap(presentOf)];
  cutTo(graph, wanted);
  const written = new Set(graph.node.flatMap(({ output }) => output));
  const running = all.filter(({ presentKey }) => written.has(presentKey));
  cutTo(graph, [...wanted, ...running.flatMap(presentOf)]);
  return running;
}

/**
 * Whether the sequence may be run in several steps: every node takes its past, and no node's rotary
 * tables are computed from the length, as those of models with two sets of frequencies are.
 */
export function canStep(file: OnnxFile, nodes: AttentionNode[]): boolean {
  return nodes.every(
    ({ pastKey, pastValue, rotary }) =>
      pastKey !== '' && pastValue !== '' && (!rotary || tableRows(file, rotary.cos) !== undefined),
  );
}

/** Refuses more tokens than the rotary tables have rows. */
export function requirePositions(file: OnnxFile, nodes: AttentionNode[], tokens: number): void {
  for (const { rotary } of nodes) {
    const rows = rotary && tableRows(file, rotary.cos);
    if (rows === undefined || tokens <= rows) continue;
    throw inputError('captureAttention tokens', `at most ${rows}, the model's positions`, tokens);
  }
}

function tableRows({ graph }: OnnxFile, name: string): number | undefined {
  const table = graph.initializer.find((tensor) => tensor.name === name);
  return table && Number(table.dims[0]);
}

function presentOf({ presentKey, presentValue }: AttentionNode): string[] {
  return [presentKey, presentValue];
}
