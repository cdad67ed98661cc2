import { decoder, encoder, type Kind, ofEqualHeads } from '../kind.js';
import { additive, causalMask, int32, keyLengths } from '../masks.js';
import { multiHead } from '../multi-head.js';

/** `com.microsoft MultiHeadAttention`. */
export const MULTI_HEAD: readonly Kind[] = [
  decoder('unidirectional', multiHead({ cache: 'inside', attributes: { unidirectional: 1 } }), {
    padded: false,
  }),
  decoder(
    'unidirectional, keys padded',
    multiHead({
      cache: 'inside',
      attributes: { unidirectional: 1 },
      keyPaddingMask: (frame) => int32(frame, 'attention_mask'),
    }),
  ),
  decoder(
    'attention bias, causal',
    multiHead({ cache: 'inside', attentionBias: (frame) => additive(frame, causalMask(frame)) }),
  ),
  decoder(
    'bias and scale',
    multiHead({
      ...{ cache: 'inside', bias: true },
      attributes: { unidirectional: 1, scale: { float: 0.6 } },
    }),
    { padded: false },
  ),
  decoder(
    'past joined outside',
    multiHead({ cache: 'outside', attentionBias: (frame) => additive(frame, causalMask(frame)) }),
  ),
  encoder('bidirectional', multiHead(), { padded: false }),
  encoder('keys padded', multiHead({ keyPaddingMask: (frame) => int32(frame, 'attention_mask') })),
  encoder(
    'lengths of keys',
    multiHead({ keyPaddingMask: (frame) => int32(frame, keyLengths(frame)) }),
  ),
  encoder('queries, keys and values packed', multiHead({ packed: 'qkv' }), {
    padded: false,
    twin: multiHead({ unpacked: 'qkv' }),
  }),
  encoder('keys and values packed', multiHead({ packed: 'kv' }), {
    padded: false,
    twin: multiHead({ unpacked: 'kv' }),
  }),
].map(ofEqualHeads);
