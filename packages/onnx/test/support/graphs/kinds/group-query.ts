import type { Frame } from '../frame.js';
import { groupQuery } from '../group-query.js';
import { after, decoder, type Kind, ofHeadDim } from '../kind.js';
import { additive, causalMask } from '../masks.js';
import { normHeads, normWeight } from '../norms.js';
import { chosenTables, rotateHalf, rotateMicrosoft, rotateStandard } from '../rotary.js';

const sinks = (frame: Frame, layer: number): string =>
  frame.weights.tensor(`/layers.${layer}/sinks`, [frame.sizes.heads], 2);

/** `com.microsoft GroupQueryAttention`. */
export const GROUP_QUERY: readonly Kind[] = [
  decoder('no rotary', groupQuery()),
  decoder('rotary inside', groupQuery({ rotary: true })),
  decoder(
    'rotary inside, interleaved',
    groupQuery({ rotary: true, attributes: { rotary_interleaved: 1 } }),
  ),
  // The operator rotates multiples of 16 channels.
  ofHeadDim(32, decoder('rotary inside, half of the channels', groupQuery({ rotary: 'half' }))),
  after(chosenTables, decoder('rotary inside, tables chosen by If', groupQuery({ rotary: true }))),
  decoder('rotary inside, positions given', groupQuery({ rotary: true, positions: true }), {
    positions: true,
  }),
  decoder(
    'rotary outside, com.microsoft',
    groupQuery({ outside: (frame, x) => rotateMicrosoft(frame, x, false) }),
    { positions: true },
  ),
  decoder(
    'rotary outside, com.microsoft, interleaved',
    groupQuery({ outside: (frame, x) => rotateMicrosoft(frame, x, true) }),
    { positions: true },
  ),
  decoder('rotary outside, ai.onnx', groupQuery({ outside: rotateStandard }), {
    positions: true,
    opset: 23,
  }),
  decoder(
    'rotary outside, decomposed',
    groupQuery({
      outside: (frame, x, heads) => frame.join(rotateHalf(frame, frame.split(x, heads))),
    }),
    { positions: true },
  ),
  decoder('packed', groupQuery({ packed: true, rotary: true })),
  decoder('window', groupQuery({ rotary: true, attributes: { local_window_size: 3 } })),
  decoder('head sinks', groupQuery({ rotary: true, inputs: { head_sink: sinks } })),
  decoder('smooth softmax', groupQuery({ rotary: true, attributes: { smooth_softmax: 1 } })),
  decoder('softcap', groupQuery({ rotary: true, attributes: { softcap: { float: 0.7 } } })),
  decoder('scale', groupQuery({ rotary: true, attributes: { scale: { float: 0.9 } } })),
  decoder(
    'all of them',
    groupQuery({
      packed: true,
      rotary: true,
      attributes: {
        ...{ rotary_interleaved: 1, local_window_size: 4 },
        ...{ softcap: { float: 1.3 }, scale: { float: 0.5 } },
      },
      inputs: { head_sink: sinks },
    }),
  ),
  decoder(
    'attention bias, causal',
    groupQuery({
      rotary: true,
      inputs: { attention_bias: (frame) => additive(frame, causalMask(frame)) },
    }),
    // the node's cache has no padding between tokens, the mask does
    { padded: false },
  ),
  decoder(
    'norms inside',
    groupQuery({
      rotary: true,
      inputs: { q_norm_weight: normWeight('q'), k_norm_weight: normWeight('k') },
    }),
    {
      twin: groupQuery({
        rotary: true,
        outside: (frame, x, heads, layer, kind) =>
          normHeads(frame, x, heads, normWeight(kind)(frame, layer)),
      }),
    },
  ),
  decoder('f16', groupQuery({ rotary: true }), { storage: 'f16' }),
  decoder('4-bit weights', groupQuery({ rotary: true }), { storage: 'int4' }),
  decoder('external data', groupQuery({ rotary: true }), { storage: 'external' }),
  decoder('two in one layer', (frame, layer, x) => {
    const first = groupQuery({ rotary: true, suffix: 'a' })(frame, layer, x);
    const second = groupQuery({ rotary: true, suffix: 'b' })(frame, layer, first);
    return frame.op('Sub', [first, second]);
  }),
];
