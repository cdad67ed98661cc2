import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';

import { type Case, type Figure, ratio, type Rows } from '../race/case.js';
import { decode } from '../race/decode.js';
import { EIGHT_HEADS } from '../race/shape.js';
import { FMA, fma } from './fma.js';

export function topkDecode(scale: number): Case {
  const tokens = 131_072 / scale;
  const budget = Math.max(128, 2048 / scale);
  const shape = { ...EIGHT_HEADS, tokens };
  return {
    name: 'decode',
    title: `A decoder step with ${tokens} keys: pages of the best ${budget} entries, against all`,
    contenders: [
      decode({ ...shape, strategy: topk({ budget }) }),
      decode({ ...shape, strategy: dense() }),
    ],
    figures: (rows) => [
      {
        what: 'top-k pages decode against dense decode',
        value: ratio(rows.ms({ strategy: 'dense' }), rows.ms({ strategy: 'topk' })),
        unit: 'factor',
        atLeast: 18,
      },
    ],
  };
}

/** Multi-query shapes with many heads on one wide key that is the value too: compute-bound, unlike other decoding. */
export function deepseekDecode(scale: number): Case {
  const tokens = 32_768 / scale;
  const shape = { heads: 16, kvHeads: 1, valueDim: 512, tokens, values: 'key' } as const;
  const strategy = dense();
  const shareOf = (rows: Rows, headDim: number): Figure => ({
    what: `16 heads on one key of ${headDim}, values its first 512: share of the multiply-add peak`,
    value: ratio(rows.gflops({ headDim }), rows.gflops({ strategy: FMA })),
    unit: 'share',
    atLeast: 0.55,
  });
  return {
    name: 'deepseek',
    title: `A decoder step with ${tokens} keys in DeepSeek's shapes, against bare multiply-adds`,
    contenders: [512, 576]
      .map((headDim) => decode({ ...shape, strategy, headDim, variant: `${headDim}/512` }))
      .concat(fma()),
    figures: (rows) => [512, 576].map((headDim) => shareOf(rows, headDim)),
  };
}
