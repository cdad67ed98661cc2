import { type Frame, MICROSOFT, projections, type WriteAttention } from './frame.js';
import { tables } from './rotary.js';

/** What a `GroupQueryAttention` of a small model has, besides the usual. */
export interface GroupQueryOptions {
  readonly attributes?: Record<string, number | string | { float: number }>;
  /** Queries, keys and values in one input. */
  readonly packed?: boolean;
  /** The rotation inside, of all channels or of the leading half of each head. */
  readonly rotary?: boolean | 'half';
  /** `position_ids` goes into the node. */
  readonly positions?: boolean;
  /** Values of further inputs, by name. */
  readonly inputs?: Partial<Record<Further, (frame: Frame, layer: number) => string>>;
  /** Done to queries or keys `[B, T, heads * D]` outside. */
  readonly outside?: (
    frame: Frame,
    x: string,
    heads: number,
    layer: number,
    kind: 'q' | 'k',
  ) => string;
  /** Node, caches and weights get this in their names. */
  readonly suffix?: string;
}

type Further =
  'attention_bias' | 'head_sink' | 'k_scale' | 'v_scale' | 'q_norm_weight' | 'k_norm_weight';

/** In the operator's order. */
const FURTHER: readonly Further[] = [
  'attention_bias',
  'head_sink',
  'k_scale',
  'v_scale',
  'q_norm_weight',
  'k_norm_weight',
];

export function groupQuery(options: GroupQueryOptions = {}): WriteAttention {
  const { attributes = {}, rotary = false, suffix = '' } = options;
  return (frame, layer, x) => {
    const path = `/layers.${layer}${suffix}/attn`;
    const { past, present } = frame.cache(layer, suffix);
    const rotation = rotary
      ? tables(frame, frame.sizes.headDim / (rotary === 'half' ? 4 : 2))
      : ['', ''];
    const further = FURTHER.map((name) => options.inputs?.[name]?.(frame, layer) ?? '');
    const inputs = [
      ...projected(frame, layer, path, x, options),
      ...past,
      ...lengths(frame),
      ...rotation,
      options.positions ? 'position_ids' : '',
      ...further,
    ];
    while (inputs.at(-1) === '') inputs.pop();
    return frame.graph.node('GroupQueryAttention', path, inputs, {
      domain: MICROSOFT,
      attributes: {
        num_heads: frame.sizes.heads,
        kv_num_heads: frame.sizes.kvHeads,
        ...(rotary && { do_rotary: 1 }),
        ...attributes,
      },
      outputs: [`${path}/output`, ...present],
    });
  };
}

function projected(
  frame: Frame,
  layer: number,
  path: string,
  x: string,
  { packed, outside = (_, y) => y }: GroupQueryOptions,
): string[] {
  const { weights, hidden, kvHidden, sizes } = frame;
  if (packed) return [weights.linear(`${path}/qkv`, x, hidden, hidden + 2 * kvHidden), '', ''];
  const { query, key, value } = projections(frame, path, x);
  return [
    outside(frame, query, sizes.heads, layer, 'q'),
    outside(frame, key, sizes.kvHeads, layer, 'k'),
    value,
  ];
}

const made = new WeakMap<Frame, string[]>();

/** `[seqlens_k, total_sequence_length]`, i32, made once for a graph. */
function lengths(frame: Frame): string[] {
  const names = made.get(frame) ?? writeLengths(frame);
  made.set(frame, names);
  return names;
}

function writeLengths(frame: Frame): string[] {
  const toInt32 = { attributes: { to: 6 } };
  const sum = frame.op('ReduceSum', ['attention_mask', frame.ints(1)], {
    attributes: { keepdims: 0 },
  });
  const last = frame.op('Sub', [sum, frame.ints(1)]);
  const total = frame.op('Gather', [frame.op('Shape', ['attention_mask']), frame.int(1)]);
  return [frame.op('Cast', [last], toInt32), frame.op('Cast', [total], toInt32)];
}
