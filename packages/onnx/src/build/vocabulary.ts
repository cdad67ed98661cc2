import type { OnnxGraph } from '../graph.js';

/**
 * Entries of the vocabulary: the rows of the table that token ids are looked up in, else `vocab_size` of the
 * configuration; undefined where neither says.
 */
export function vocabularyOf(
  graph: OnnxGraph,
  config: Readonly<Record<string, unknown>>,
): number | undefined {
  const lookups = graph.consumers('input_ids').filter(({ opType }) => /^Gather/.test(opType));
  for (const { input } of lookups) {
    const rows = graph.initializer(input[0])?.dims[0];
    if (rows !== undefined) return Number(rows);
  }
  const text = (config['text_config'] ?? config) as { vocab_size?: unknown };
  return typeof text.vocab_size === 'number' ? text.vocab_size : undefined;
}
