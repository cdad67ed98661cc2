import { type Frame, MICROSOFT, projections, type WriteAttention } from './frame.js';
import { joinPast } from './standard.js';

/** How attention is written in small operators. */
export interface DecomposedOptions {
  readonly cache?: boolean;
  /** Queries, keys and values come from one projection, by `Split`. */
  readonly packed?: boolean;
  /** Heads are split by `[batch, tokens, -1, D]`, their number left to be found out. */
  readonly openHeads?: boolean;
  /**
   * Where `D ** -0.5` is applied: to the logits by `Div` or `Mul`, to the queries, or its square root to queries and
   * keys, computed from the queries' size as PyTorch's exporter does. Default `div`.
   */
  readonly scale?: 'div' | 'mul' | 'query' | 'roots' | 'none';
  /**
   * How keys meet queries: transposed last; from `[B, T, heads, D]` in one go; with batch and heads joined (PyTorch's
   * newer exporter); by a product that transposes (onnxruntime's optimiser). Default `last`.
   */
  readonly keys?: 'last' | 'once' | 'flat' | 'fused';
  readonly softcap?: number;
  /** Hides logits: gets and gives `[B, H, T, N]`; may ask for the size of all keys `[B, H, N, D]`. */
  readonly mask?: (frame: Frame, logits: string, keys: string) => string;
  /** A learned logit a head that joins the softmax and leaves it again, as gpt-oss has it. */
  readonly sinks?: boolean;
  /** A rule for rows without any key behind the softmax. */
  readonly nanGuard?: boolean;
  /** Done to queries and keys `[B, heads, T, D]`. */
  readonly rotate?: (frame: Frame, x: string) => string;
  /** The product broadcasts the one key head to all query heads. */
  readonly oneKeyHead?: boolean;
}

export function decomposed(options: DecomposedOptions = {}): WriteAttention {
  const { rotate = (_, x) => x } = options;
  return (frame, layer, x) => {
    const { heads, kvHeads } = frame.sizes;
    const { query, key, value } = projected(frame, options, `/layers.${layer}/attn`, x);
    const queries = rotate(frame, split(frame, options, query, heads));
    const values = split(frame, options, value, kvHeads);
    if (options.keys === 'once') {
      const logits = product(frame, options, queries, transposedOnce(frame, key));
      return frame.join(frame.op('MatMul', [softmax(frame, options, logits, key), values]));
    }
    const keys = rotate(frame, split(frame, options, key, kvHeads));
    const [allKeys, allValues] = storedRows(frame, options, layer, [keys, values]);
    const logits = product(frame, options, queries, transposed(frame, options, allKeys));
    const weights = softmax(frame, options, logits, allKeys);
    return frame.join(frame.op('MatMul', [weights, allValues]));
  };
}

function projected(
  frame: Frame,
  { packed }: DecomposedOptions,
  path: string,
  x: string,
): { query: string; key: string; value: string } {
  if (!packed) return projections(frame, path, x);
  const { weights, hidden, kvHidden } = frame;
  const all = weights.linear(`${path}/qkv`, x, hidden, hidden + 2 * kvHidden);
  const [query, key, value] = ['q', 'k', 'v'].map((name) => `${path}/${name}`);
  frame.op('Split', [all, frame.ints(hidden, kvHidden, kvHidden)], {
    ...{ attributes: { axis: 2 }, outputs: [query, key, value] },
  });
  return { query, key, value };
}

/** `[B, T, heads * D]` to `[B, heads, T, D]`. */
function split(frame: Frame, { openHeads }: DecomposedOptions, x: string, heads: number): string {
  if (!openHeads) return frame.split(x, heads);
  const shape = [
    frame.size(x, 0),
    frame.size(x, 1),
    frame.ints(-1),
    frame.ints(frame.sizes.headDim),
  ];
  return frame.transpose(frame.op('Reshape', [x, listOf(frame, shape)]), 0, 2, 1, 3);
}

const listOf = (frame: Frame, parts: string[]): string =>
  frame.op('Concat', parts, { attributes: { axis: 0 } });

/** Keys and values with the past, for every query head. */
function storedRows(
  frame: Frame,
  { cache, oneKeyHead }: DecomposedOptions,
  layer: number,
  rows: readonly string[],
): string[] {
  const { heads, kvHeads } = frame.sizes;
  const { past, present } = cache ? frame.cache(layer) : { past: [], present: [] };
  return rows.map((row, i) => {
    const all = cache ? joinPast(frame, past[i], row, present[i]) : row;
    return heads === kvHeads || oneKeyHead ? all : repeatHeads(frame, all);
  });
}

/** `repeat_kv` of Hugging Face's models. */
function repeatHeads(frame: Frame, x: string): string {
  const { heads, kvHeads, headDim } = frame.sizes;
  const [batch, tokens] = [frame.size(x, 0), frame.size(x, 2)];
  const apart = frame.op('Unsqueeze', [x, frame.ints(2)]);
  const copies = [batch, frame.ints(kvHeads, heads / kvHeads), tokens, frame.ints(headDim)];
  const expanded = frame.op('Expand', [apart, listOf(frame, copies)]);
  const joined = [batch, frame.ints(heads), tokens, frame.ints(headDim)];
  return frame.op('Reshape', [expanded, listOf(frame, joined)]);
}

function transposed(frame: Frame, { keys = 'last' }: DecomposedOptions, x: string): string {
  if (keys === 'fused') return x;
  if (keys === 'last') return frame.transpose(x, 0, 1, 3, 2);
  const { heads, headDim } = frame.sizes;
  const tokens = frame.size(x, 2);
  const flat = frame.op('Reshape', [
    x,
    listOf(frame, [frame.ints(-1), tokens, frame.ints(headDim)]),
  ]);
  const apart = [frame.size(x, 0), frame.ints(heads, headDim), tokens];
  return frame.op('Reshape', [frame.transpose(flat, 0, 2, 1), listOf(frame, apart)]);
}

const transposedOnce = (frame: Frame, flat: string): string =>
  frame.transpose(frame.reshape(flat, 0, 0, frame.sizes.kvHeads, frame.sizes.headDim), 0, 2, 3, 1);

function product(
  frame: Frame,
  { scale = 'div', keys }: DecomposedOptions,
  query: string,
  key: string,
): string {
  const root = Math.sqrt(frame.sizes.headDim);
  const mul = (x: string, factor: string): string => frame.op('Mul', [x, factor]);
  if (keys === 'fused')
    return frame.op('FusedMatMul', [query, key], {
      domain: MICROSOFT,
      attributes: { alpha: { float: 1 / root }, transB: 1 },
    });
  switch (scale) {
    case 'div':
      return frame.op('Div', [frame.op('MatMul', [query, key]), frame.float(root)]);
    case 'mul':
      return mul(frame.op('MatMul', [query, key]), frame.float(1 / root));
    case 'query':
      return frame.op('MatMul', [mul(query, frame.float(1 / root)), key]);
    case 'roots':
      return frame.op('MatMul', [
        mul(query, rootOfScale(frame, query)),
        mul(key, rootOfScale(frame, query)),
      ]);
    default:
      return frame.op('MatMul', [query, key]);
  }
}

/** `sqrt(1 / sqrt(D))`, D taken from the shape of the queries. */
function rootOfScale(frame: Frame, query: string): string {
  const shape = frame.op('Shape', [query]);
  const width = frame.op('Slice', [shape, frame.ints(-1), frame.ints(2 ** 31 - 1)]);
  const to = frame.weights.type === 'f16' ? 10 : 1;
  const root = frame.op('Sqrt', [frame.op('Cast', [width], { attributes: { to } })]);
  return frame.op('Sqrt', [frame.op('Div', [frame.float(1), root])]);
}

function softmax(
  frame: Frame,
  { softcap, mask = (_, x) => x, sinks, nanGuard }: DecomposedOptions,
  product: string,
  keys: string,
): string {
  const logits = softcap === undefined ? product : capped(frame, product, softcap);
  const masked = mask(frame, logits, keys);
  if (sinks) return softmaxWithSinks(frame, masked);
  const weights = frame.op('Softmax', [masked], { attributes: { axis: -1 } });
  if (!nanGuard) return weights;
  return frame.op('Where', [frame.op('IsNaN', [weights]), frame.float(0), weights]);
}

function softmaxWithSinks(frame: Frame, logits: string): string {
  const { heads } = frame.sizes;
  const learned = frame.weights.tensor(`${logits}/sinks`, [1, heads, 1, 1], 2);
  const rows = [frame.size(logits, 0), frame.ints(heads), frame.size(logits, 2), frame.ints(1)];
  const sinks = frame.op('Expand', [learned, listOf(frame, rows)]);
  const all = frame.op('Concat', [logits, sinks], { attributes: { axis: -1 } });
  const largest = frame.op('ReduceMax', [all], { attributes: { axes: [-1], keepdims: 1 } });
  const weights = frame.op('Softmax', [frame.op('Sub', [all, largest])], {
    attributes: { axis: -1 },
  });
  const bounds = [frame.ints(0), frame.ints(-1), frame.ints(-1)];
  return frame.op('Slice', [weights, ...bounds]);
}

function capped(frame: Frame, logits: string, softcap: number): string {
  const small = frame.op('Div', [logits, frame.float(softcap)]);
  return frame.op('Mul', [frame.op('Tanh', [small]), frame.float(softcap)]);
}
