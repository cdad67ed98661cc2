import {
  all,
  type AttentionStrategy,
  type AuxSpec,
  defineStrategy,
  fromQuery,
} from '@jit-attention/core';
import {
  type Groups,
  groups,
  type IndexSite,
  ranges,
  series,
  type Tensor,
  topk,
} from '@jit-attention/core';

const keys: AuxSpec = { per: 'key', heads: 'kvHeads', width: 'headDim' };
const values: AuxSpec = { per: 'key', heads: 'kvHeads', width: 'valueDim' };
const gates: AuxSpec = { per: 'query', heads: 'heads', width: 3 };
const queries: AuxSpec = { per: 'query', heads: 'heads', width: 'headDim' };

/**
 * NSA (arXiv 2502.11089): compressed spans, selected blocks in full (the cache) and a window, each with keys and
 * values of its own, weighted by learned gates. The blocks follow from the probabilities of the compressed branch.
 */
export function nsa(options: NsaOptions): AttentionStrategy {
  const { length, stride, block, blocks, window } = options;
  return defineStrategy({
    name: 'nsa',
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    requires: {
      spanQuery: queries,
      spanKey: keys,
      spanValue: values,
      windowKey: keys,
      windowValue: values,
      gates,
    },
    index: (site) => ({
      spanKeys: spans(site, 'spanKey', options, options.phi.keys),
      spanValues: spans(site, 'spanValue', options, options.phi.values),
      windowKeys: series(site, { input: 'windowKey' }),
      windowValues: series(site, { input: 'windowValue' }),
    }),
    plan({ keys: over, index, aux, layer, ops }) {
      const compressed = {
        query: aux.spanQuery,
        keys: index.spanKeys.rows,
        visible: fromQuery(1 + stride - length, stride),
      };
      const selection = ops.select({
        score: { kind: 'softmax', scale: layer.scale, ...compressed },
        pool: coverage(block / stride, length / stride),
        over,
        block,
        always: [
          [0, 1],
          [fromQuery(-block), fromQuery(1)],
        ],
        pick: topk(blocks),
      });
      const recent = ranges([fromQuery(1 - window), fromQuery(1)]);
      return {
        branches: [
          { ...compressed, values: index.spanValues.rows, selection: all },
          { keys: 'cache', selection },
          { keys: index.windowKeys.rows, values: index.windowValues.rows, selection: recent },
        ],
        gates: aux.gates,
      };
    },
  });
}

/** Strides of block j that span `block·j + offset + i` covers, for i from 0: 1, 2, 2, 2, 1 with 4 and 2. */
function coverage(
  block: number,
  length: number,
): { stride: number; offset: number; weights: number[] } {
  const count = block + length - 1;
  const weights = Array.from({ length: count }, (_, i) =>
    Math.min(i + 1, length, block, count - i),
  );
  return { stride: block, offset: 1 - length, weights };
}

/** φ of every `length` tokens, a span beginning every `stride`. */
function spans(site: IndexSite, input: string, options: NsaOptions, phi: Phi): Groups {
  const { length, stride } = options;
  return groups(site, {
    inputs: [input],
    stride,
    length,
    make: ({ ops, inputs, first, count }) => {
      const parts = [{ values: inputs[input], start: 0, length }];
      const rows = ops.pool({ kind: 'concat', parts, stride, first, count });
      return ops.linear(ops.linear(rows, { ...phi[0], activation: 'relu' }), phi[1]);
    },
  });
}

/** Two linear layers over `length` tokens laid side by side; a position embedding is folded into the first bias. */
export type Phi = readonly [Linear, Linear];
interface Linear {
  weight: Tensor;
  bias: Tensor;
}

/** In tokens, the paper's in brackets; `block` and `length` are multiples of `stride`. */
export interface NsaOptions {
  /** Tokens of a compressed span (32), and from one to the next (16). */
  length: number;
  stride: number;
  /** Tokens of a selected block (64), and blocks, three forced ones included (16). */
  block: number;
  blocks: number;
  /** The query's own token included (512). */
  window: number;
  phi: { keys: Phi; values: Phi };
}
