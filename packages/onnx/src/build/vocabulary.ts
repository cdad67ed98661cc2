import type { OnnxGraph } from '../graph.js';
import type { ModelConfig } from '../load/config.js';

/**
 * Entries of the vocabulary: the rows of the table that token ids are looked up in, else what the configuration says;
 * undefined where neither does.
 */
export function vocabularyOf(graph: OnnxGraph, { vocabulary }: ModelConfig): number | undefined {
  const lookups = graph.consumers('input_ids').filter(({ opType }) => /^Gather/.test(opType));
  for (const { input } of lookups) {
    const rows = graph.initializer(input[0])?.dims[0];
    if (rows !== undefined) return Number(rows);
  }
  return vocabulary;
}
