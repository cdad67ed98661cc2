import { all, assertKnown, type AttentionStrategy, type Plan } from '@jit-attention/core';

/** One plan serves every step: it holds nothing but the word `all`. */
const everything: Plan = { branches: [{ keys: 'cache', selection: all }] };

/**
 * Dense attention: every query reads every entry it can see, up to its own position when causal.
 *
 * It has no index and scores nothing. Cost: `tokens² / 2` entries a head in a causal prefill, `length` entries a
 * head in a decode step. Follows "Attention Is All You Need" (arXiv 1706.03762).
 *
 * @param options none exist; the parameter is there so that all factories are called alike
 * @throws {InputError} `INVALID_OPTION` for any option
 */
export function dense(options: Readonly<Record<string, never>> = {}): AttentionStrategy {
  assertKnown('dense', options, []);
  return {
    name: 'dense',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: true },
    options: {},
    plan: () => everything,
  };
}
