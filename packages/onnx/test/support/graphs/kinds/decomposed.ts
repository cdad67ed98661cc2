import { decomposed } from '../decomposed.js';
import type { Frame } from '../frame.js';
import { decoder, encoder, type Kind, ofEqualHeads, ofKeyHeads } from '../kind.js';
import { additive, additivePadding, causalMask, causalOrder, lowest, nearMask } from '../masks.js';
import { rotateHalf } from '../rotary.js';

/** `MatMul`, `Softmax`, `MatMul`. */
export const DECOMPOSED: readonly Kind[] = [
  decoder('added mask', decomposed({ cache: true, mask: addCausal })),
  decoder(
    'rotate_half, roots of the scale, NaN guard',
    decomposed({
      ...{ cache: true, scale: 'roots', nanGuard: true },
      ...{ rotate: rotateHalf, mask: addCausal },
    }),
    { positions: true },
  ),
  decoder(
    'window, scaled queries',
    decomposed({
      ...{ cache: true, scale: 'query' },
      mask: (frame, x) => frame.op('Add', [x, additive(frame, causalMask(frame, 3))]),
    }),
    // its window counts padding between tokens, ours counts tokens
    { padded: false },
  ),
  decoder(
    'mask cut to the keys, positions from the past',
    decomposed({ cache: true, rotate: rotateFromPast, mask: cutToKeys }),
    // positions that count on from the past count padding as well
    { padded: false },
  ),
  decoder('softcap', decomposed({ cache: true, softcap: 0.9, mask: addCausal })),
  decoder('head sinks', decomposed({ cache: true, sinks: true, mask: addCausal })),
  decoder('Where keeps', decomposed({ cache: true, scale: 'mul', mask: keep })),
  decoder('Where hides', decomposed({ cache: true, scale: 'none', mask: hide })),
  decoder(
    'one projection, split',
    decomposed({ ...{ cache: true, packed: true, openHeads: true }, mask: addCausal }),
  ),
  decoder(
    'keys transposed with batch and heads joined',
    decomposed({ ...{ cache: true, scale: 'roots', keys: 'flat' }, mask: addCausal }),
  ),
  decoder('FusedMatMul', decomposed({ cache: true, keys: 'fused', mask: addCausal })),
  ofKeyHeads(
    1,
    decoder(
      'one key head, broadcast',
      decomposed({ cache: true, oneKeyHead: true, mask: addCausal }),
    ),
  ),
  decoder('f16', decomposed({ cache: true, mask: addCausal }), { storage: 'f16' }),
  decoder('8-bit weights', decomposed({ cache: true, mask: addCausal }), { storage: 'int8' }),
  ofEqualHeads(
    encoder(
      'added padding, keys transposed at once',
      decomposed({
        keys: 'once',
        mask: (frame, x) => frame.op('Add', [x, additivePadding(frame)]),
      }),
    ),
  ),
  encoder(
    'window to both sides',
    decomposed({ mask: (frame, x) => frame.op('Add', [x, additive(frame, nearMask(frame, 2))]) }),
  ),
  encoder('nothing hidden', decomposed(), { padded: false }),
];

function addCausal(frame: Frame, logits: string): string {
  return frame.op('Add', [logits, additive(frame, causalMask(frame))]);
}

/** Hugging Face's models: the mask is cut to as many keys as there are. */
function cutToKeys(frame: Frame, logits: string, keys: string): string {
  const mask = additive(frame, causalMask(frame));
  const bounds = [frame.ints(0), frame.size(keys, 2), frame.ints(3)];
  return frame.op('Add', [logits, frame.op('Slice', [mask, ...bounds])]);
}

/** As they count positions without `position_ids`. */
function rotateFromPast(frame: Frame, x: string): string {
  const past = frame.op('Squeeze', [frame.size('past_key_values.0.key', 2)]);
  const tokens = frame.op('Squeeze', [frame.size('input_ids', 1)]);
  const end = frame.op('Add', [past, tokens]);
  const positions = frame.op('Range', [past, end, frame.int(1)]);
  return rotateHalf(frame, x, frame.op('Unsqueeze', [positions, frame.ints(0)]));
}

/** GPT-2: a causal order by `Where`, padding added. */
function keep(frame: Frame, logits: string): string {
  const causal = frame.op('Where', [causalOrder(frame), logits, lowest(frame)]);
  return frame.op('Add', [causal, additivePadding(frame)]);
}

/** `masked_fill`. */
function hide(frame: Frame, logits: string): string {
  const hidden = frame.op('Not', [causalMask(frame)]);
  return frame.op('Where', [hidden, lowest(frame), logits]);
}
