import { type Frame, projections, type WriteAttention } from './frame.js';

/** What an `Attention` (ai.onnx) of a small model has. */
export interface StandardOptions {
  readonly attributes?: Record<string, number | { float: number }>;
  /** 3: `[B, T, heads * D]`; 4: `[B, heads, T, D]`. Default 3. */
  readonly rank?: 3 | 4;
  /** `inside`: the node joins the past; `outside`: Concat does (rank 4). Default: none. */
  readonly cache?: 'inside' | 'outside';
  readonly mask?: (frame: Frame) => string;
  /** `nonpad_kv_seqlen`, since operator set 24. */
  readonly lengths?: (frame: Frame) => string;
}

export function standard(options: StandardOptions = {}): WriteAttention {
  const { rank = 3, attributes = {} } = options;
  return (frame, layer, x) => {
    const { heads, kvHeads } = frame.sizes;
    const path = `/layers.${layer}/attn`;
    const { past, present } = options.cache ? frame.cache(layer) : { past: [], present: [] };
    const flat = projections(frame, path, x);
    const split = (y: string, count: number): string => (rank === 4 ? frame.split(y, count) : y);
    const rows = [split(flat.key, kvHeads), split(flat.value, kvHeads)];
    const outside = options.cache === 'outside';
    const inputs = [
      split(flat.query, heads),
      ...(outside ? rows.map((row, i) => joinPast(frame, past[i], row, present[i])) : rows),
      options.mask?.(frame) ?? '',
      ...(outside || past.length === 0 ? ['', ''] : past),
      options.lengths?.(frame) ?? '',
    ];
    while (inputs.at(-1) === '') inputs.pop();
    const output = frame.graph.node('Attention', path, inputs, {
      attributes: {
        ...(rank === 3 && { q_num_heads: heads, kv_num_heads: kvHeads }),
        ...attributes,
      },
      outputs: [`${path}/output`, ...(outside ? [] : present)],
    });
    return rank === 4 ? frame.join(output) : output;
  };
}

/** Past and new keys or values `[B, G, tokens, D]` in one. */
export function joinPast(frame: Frame, past: string, rows: string, present: string): string {
  return frame.op('Concat', [past, rows], { attributes: { axis: 2 }, outputs: [present] });
}
