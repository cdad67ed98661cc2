import { type Frame, MICROSOFT, projections, type WriteAttention } from './frame.js';
import { joinPast } from './standard.js';

/** What a `MultiHeadAttention` of a small model has; by default three inputs and no more. */
export interface MultiHeadOptions {
  readonly attributes?: Record<string, number | { float: number }>;
  /** Queries, keys and values, or keys and values, in one input. The CPU provider takes neither: see `unpacked`. */
  readonly packed?: 'qkv' | 'kv';
  /** The same weights as `packed`, taken apart before the node. */
  readonly unpacked?: 'qkv' | 'kv';
  /** A bias of queries, keys and values that the node adds. */
  readonly bias?: boolean;
  /** `inside`: the node joins the past; `outside`: Concat does. Default: none. */
  readonly cache?: 'inside' | 'outside';
  readonly keyPaddingMask?: (frame: Frame) => string;
  readonly attentionBias?: (frame: Frame) => string;
}

export function multiHead(options: MultiHeadOptions = {}): WriteAttention {
  return (frame, layer, x) => {
    const { sizes, weights, hidden } = frame;
    const path = `/layers.${layer}/attn`;
    const { past, present } = options.cache ? frame.cache(layer) : NO_CACHE;
    const outside = options.cache === 'outside';
    const rows = projected(frame, path, x, options);
    const inputs = [
      ...(outside ? joinedOutside(frame, rows, { past, present }) : rows),
      options.bias ? weights.tensor(`${path}/bias`, [3 * hidden], 0.5) : '',
      options.keyPaddingMask?.(frame) ?? '',
      options.attentionBias?.(frame) ?? '',
      ...(outside ? [] : past),
    ];
    while (inputs.at(-1) === '') inputs.pop();
    return frame.graph.node('MultiHeadAttention', path, inputs, {
      domain: MICROSOFT,
      attributes: { num_heads: sizes.heads, ...options.attributes },
      outputs: [`${path}/output`, ...(outside ? [] : present)],
    });
  };
}

const NO_CACHE = { past: ['', ''], present: [] };

function joinedOutside(
  frame: Frame,
  [query, ...rows]: string[],
  { past, present }: { readonly past: string[]; readonly present: string[] },
): string[] {
  const split = rows.map((row) => frame.split(row, frame.sizes.heads));
  return [query, ...split.map((row, i) => joinPast(frame, past[i], row, present[i]))];
}

function projected(
  frame: Frame,
  path: string,
  x: string,
  { packed, unpacked }: MultiHeadOptions,
): string[] {
  const kind = packed ?? unpacked;
  if (!kind) return Object.values(projections(frame, path, x));
  const { sizes, weights, hidden } = frame;
  const parts = kind === 'qkv' ? 3 : 2;
  const flat = weights.linear(`${path}/${kind}`, x, hidden, parts * hidden);
  const together = frame.reshape(flat, 0, 0, sizes.heads, parts, sizes.headDim);
  const query = kind === 'kv' ? [weights.linear(`${path}/q`, x, hidden, hidden)] : [];
  return [...query, ...(packed ? [together] : apart(frame, together, parts))];
}

/** `[B, T, H, parts, D]` as so many `[B, T, H * D]`. */
function apart(frame: Frame, together: string, parts: number): string[] {
  return Array.from({ length: parts }, (_, part) => {
    const one = frame.op('Gather', [together, frame.int(part)], { attributes: { axis: 3 } });
    return frame.reshape(one, 0, 0, -1);
  });
}
