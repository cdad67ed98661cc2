import { decoder, encoder, type Kind } from '../kind.js';
import { additive, causalMask, keyLengths, unpaddedRows } from '../masks.js';
import { standard } from '../standard.js';

/** `Attention` of the ONNX standard. */
export const STANDARD: readonly Kind[] = [
  decoder('causal', standard({ cache: 'inside', attributes: { is_causal: 1 } }), {
    opset: 23,
    padded: false,
  }),
  decoder('rank 4', standard({ cache: 'inside', rank: 4, attributes: { is_causal: 1 } }), {
    opset: 23,
    padded: false,
  }),
  decoder('boolean mask', standard({ cache: 'inside', mask: (frame) => causalMask(frame) }), {
    opset: 23,
  }),
  decoder(
    'added mask',
    standard({ cache: 'inside', mask: (frame) => additive(frame, causalMask(frame)) }),
    { opset: 23 },
  ),
  decoder(
    'softcap and scale',
    standard({
      cache: 'inside',
      attributes: { is_causal: 1, softcap: { float: 0.8 }, scale: { float: 0.7 } },
    }),
    { opset: 23, padded: false },
  ),
  decoder(
    'past joined outside',
    standard({ cache: 'outside', rank: 4, mask: (frame) => causalMask(frame) }),
    { opset: 23 },
  ),
  encoder('bidirectional', standard(), { opset: 23, padded: false }),
  encoder('padded', standard({ mask: (frame) => unpaddedRows(frame) }), { opset: 23 }),
  encoder('lengths of keys', standard({ rank: 4, lengths: keyLengths }), { opset: 24 }),
];
