import type { NodeProto } from 'onnx-buf';

import type { OnnxGraph } from './graph.js';

/**
 * What a matcher says about one attention of a graph: which values go in, what is done to them before and in the
 * softmax, which value comes out. Names are those of values (edges) of the graph. From this alone the graph is cut
 * and our attention is put in place, whatever operator, or pattern of small operators, it was written in.
 *
 * Letters: B batch, H query heads, G key/value heads, T tokens of this step, N keys (past and new ones), D headDim,
 * Dv valueDim.
 *
 * Nodes that only the replaced attention needed (the node itself, the concatenation with the past, repeated
 * key/value heads, masks) are not listed: whatever no longer leads to an output is dropped.
 */
export interface AttentionSite {
  /** Its place among the attentions of the model, from 0: by the number in the cache's names, else in graph order. */
  readonly layer: number;
  /** The operator, or the softmax of a pattern. Errors name it. */
  readonly node: NodeProto;
  /** What it was: `'GroupQueryAttention'`, `'MultiHeadAttention'`, `'Attention'`, `'Softmax'`. For reports. */
  readonly kind: string;

  readonly heads: number;
  /** Divides `heads`. */
  readonly kvHeads: number;
  readonly headDim: number;
  readonly valueDim: number;

  /** Queries, keys and values of this step: before the past is joined to them, before heads are repeated. */
  readonly inputs: Projections;
  /** Done by the replaced node to its inputs, in this order: bias, normalisation, rotation. */
  readonly bias?: ProjectionBias | undefined;
  readonly norm?: HeadNorm | undefined;
  readonly rotary?: Rotary | undefined;

  /** The factor of `q · k`. */
  readonly scale: number;
  /** `softcap * tanh(logit / softcap)`, the logit scaled already. */
  readonly softcap?: number | undefined;
  /** Name of a constant of H numbers: one logit a query head that only enlarges the denominator. */
  readonly sinkLogits?: string | undefined;
  /** The denominator is one larger, as if every `sinkLogits` were 0. */
  readonly smoothSoftmax?: boolean | undefined;

  /** The node itself hides what comes after a query. False says nothing: a mask may do it. */
  readonly causal: boolean;
  /** A query at p sees `(p - window, p]`; without `causal` also as many to its right. */
  readonly window?: number | undefined;
  /** Values added to, or chosen by, the logits. What they say is found out by trying, see {@link Mask}. */
  readonly masks: readonly Mask[];

  /** The cache that the graph carries in and out; absent where there is none. */
  readonly cache?: CacheNames | undefined;
  /** The value that the attention gives. */
  readonly output: Operand;
  /** Element type of the inputs and of the output. */
  readonly dtype: 'f32' | 'f16';
}

/**
 * A value and its axes.
 *
 * - `bthd`: `[B, T, heads, width]`
 * - `bhtd`: `[B, heads, T, width]`
 * - `btc`: `[B, T, heads * width]`
 */
export interface Operand {
  readonly name: string;
  readonly layout: 'bthd' | 'bhtd' | 'btc';
}

export type Projections =
  | {
      readonly kind: 'separate';
      readonly query: Operand;
      readonly key: Operand;
      readonly value: Operand;
    }
  /** `[B, T, (H + G) * D + G * Dv]`: all queries, then all keys, then all values. */
  | { readonly kind: 'packed'; readonly name: string }
  /** `[B, T, H, 3, D]`: each head's query, key and value. */
  | { readonly kind: 'interleaved'; readonly name: string }
  /** Queries apart, and `[B, T, H, 2, D]`: each head's key and value. */
  | {
      readonly kind: 'interleavedKeyValue';
      readonly query: Operand;
      readonly name: string;
    };

/** Name of a constant `[H * D + G * D + G * Dv]` that is added to queries, keys and values. */
export interface ProjectionBias {
  readonly name: string;
}

/** RMS normalisation of each head, with constants `[D]` by name. */
export interface HeadNorm {
  readonly query: string;
  readonly key: string;
  readonly epsilon: number;
}

/** A rotation inside the replaced node. One outside stays in the graph and is no business of ours. */
export interface Rotary {
  /** Names of the tables `[positions, pairs]`: constants, or computed in the graph. */
  readonly cos: string;
  readonly sin: string;
  /** Pairs (2i, 2i + 1) instead of (i, i + pairs). */
  readonly interleaved: boolean;
  /** Leading channels that rotate; the rest stays. */
  readonly channels: number;
  /** Name of the positions, i64 `[B, T]`. Absent: counted on from the past. */
  readonly positions?: string | undefined;
}

/**
 * A value that shapes the softmax. At adoption the part of the graph that makes it is run for a few steps, and what
 * comes out has to be what a causal order, a window and the padding of `attention_mask` give.
 *
 * - `logits`: broadcast to `[B, H, T, N]`. Booleans choose: true is seen (with `hides`: hidden). Floats are added to
 *   the logits; what is at or below half the type's lowest number is hidden.
 * - `keys`: integers or booleans `[B, N]`, non-zero is seen; where it turns out to be of rank 1, `lengths`.
 * - `lengths`: integers `[B]`: how many keys are seen.
 * - `last`: integers `[B]`: the index of the last key that is seen.
 */
export interface Mask {
  readonly kind: 'logits' | 'keys' | 'lengths' | 'last';
  readonly name: string;
  /** Of booleans: true is hidden. */
  readonly hides?: boolean | undefined;
}

/** Names of graph inputs and outputs, `[B, G, N, D]` and `[B, G, N, Dv]`. */
export interface CacheNames {
  readonly pastKey: string;
  readonly pastValue: string;
  readonly presentKey: string;
  readonly presentValue: string;
}

/** An attention that cannot be taken over, and why. Never a silent one: what is not understood is refused. */
export interface Refusal {
  readonly node: NodeProto;
  /** What was found: `attribute k_quant_type 'PER_TENSOR'`, `input 10 (attention_bias)`. */
  readonly found: string;
  /** What would have been taken: `k_quant_type 'NONE'`. */
  readonly supported: string;
}

/** What a matcher gives: the site without its number. */
export type Match = Omit<AttentionSite, 'layer'>;

/**
 * Looks at one node: a match or a refusal if it is (the heart of) an attention that this matcher knows, undefined
 * if it is none of its business.
 */
export type Matcher = (graph: OnnxGraph, node: NodeProto) => Match | Refusal | undefined;

export const isRefusal = (found: Match | Refusal): found is Refusal => 'supported' in found;
