import { type Frame, projections, type WriteAttention } from './frame.js';
import { joinPast } from './standard.js';

/** How attention is written in small operators. */
export interface DecomposedOptions {
  readonly cache?: boolean;
  /**
   * Where `D ** -0.5` is applied: to the logits by `Div` or `Mul`, or its square root to queries and keys, computed
   * from the queries' size as PyTorch's exporter does. Default `div`.
   */
  readonly scale?: 'div' | 'mul' | 'query' | 'roots' | 'none';
  readonly softcap?: number;
  /** Hides logits: gets and gives `[B, H, T, N]`. */
  readonly mask?: (frame: Frame, logits: string) => string;
  /** Keys are transposed from `[B, T, heads, D]` in one go. */
  readonly oneTranspose?: boolean;
  /** A rule for rows without any key behind the softmax. */
  readonly nanGuard?: boolean;
  /** Done to queries and keys `[B, heads, T, D]`. */
  readonly rotate?: (frame: Frame, x: string) => string;
}

export function decomposed(options: DecomposedOptions = {}): WriteAttention {
  const { rotate = (_, x) => x } = options;
  return (frame, layer, x) => {
    const { heads, kvHeads } = frame.sizes;
    const flat = projections(frame, `/layers.${layer}/attn`, x);
    const query = rotate(frame, frame.split(flat.query, heads));
    const logits = options.oneTranspose
      ? product(frame, options, query, keysOf(frame, flat.key))
      : undefined;
    const key = options.oneTranspose ? '' : rotate(frame, frame.split(flat.key, kvHeads));
    const stored = storedRows(frame, options, layer, [key, frame.split(flat.value, kvHeads)]);
    const weights = softmax(
      frame,
      options,
      logits ?? product(frame, options, query, frame.transpose(stored[0], 0, 1, 3, 2)),
    );
    return frame.join(frame.op('MatMul', [weights, stored[1]]));
  };
}

const keysOf = (frame: Frame, flat: string): string =>
  frame.transpose(frame.reshape(flat, 0, 0, frame.sizes.kvHeads, frame.sizes.headDim), 0, 2, 3, 1);

/** Keys and values with the past, for every query head. */
function storedRows(
  frame: Frame,
  { cache }: DecomposedOptions,
  layer: number,
  rows: readonly string[],
): string[] {
  const { heads, kvHeads } = frame.sizes;
  const { past, present } = cache ? frame.cache(layer) : { past: [], present: [] };
  return rows.map((row, i) => {
    if (row === '') return '';
    const all = cache ? joinPast(frame, past[i], row, present[i]) : row;
    return heads === kvHeads ? all : repeatHeads(frame, all);
  });
}

/** `repeat_kv` of Hugging Face's models. */
function repeatHeads(frame: Frame, x: string): string {
  const { heads, kvHeads, headDim } = frame.sizes;
  const [batch, tokens] = [frame.size(x, 0), frame.size(x, 2)];
  const shape = (...parts: string[]): string =>
    frame.op('Concat', parts, { attributes: { axis: 0 } });
  const apart = frame.op('Unsqueeze', [x, frame.ints(2)]);
  const expanded = frame.op('Expand', [
    apart,
    shape(batch, frame.ints(kvHeads, heads / kvHeads), tokens, frame.ints(headDim)),
  ]);
  return frame.op('Reshape', [
    expanded,
    shape(batch, frame.ints(heads), tokens, frame.ints(headDim)),
  ]);
}

function product(
  frame: Frame,
  { scale = 'div' }: DecomposedOptions,
  query: string,
  key: string,
): string {
  const root = Math.sqrt(frame.sizes.headDim);
  const mul = (x: string, factor: string): string => frame.op('Mul', [x, factor]);
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
  { softcap, mask = (_, x) => x, nanGuard }: DecomposedOptions,
  product: string,
): string {
  const masked = mask(frame, softcap === undefined ? product : capped(frame, product, softcap));
  const weights = frame.op('Softmax', [masked], { attributes: { axis: -1 } });
  if (!nanGuard) return weights;
  const none = frame.op('IsNaN', [weights]);
  return frame.op('Where', [none, frame.float(0), weights]);
}

function capped(frame: Frame, logits: string, softcap: number): string {
  const small = frame.op('Div', [logits, frame.float(softcap)]);
  return frame.op('Mul', [frame.op('Tanh', [small]), frame.float(softcap)]);
}
