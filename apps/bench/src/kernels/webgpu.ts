import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';

import { SHARING } from '../candidates/built-in.js';
import { type Case, ratio, type Rows } from '../race/case.js';
import { decode } from '../race/decode.js';
import { prefill } from '../race/prefill.js';
import { EIGHT_HEADS } from '../race/shape.js';

const SHAPE = { ...EIGHT_HEADS, backend: 'webgpu' } as const;

export function webgpuPrefill(scale: number): Case {
  const tokens = 4096 / scale;
  return {
    name: 'dense',
    title: `Dense and windowed prefill of ${tokens} tokens`,
    contenders: [
      prefill({ ...SHAPE, tokens, strategy: dense() }),
      prefill({ ...SHAPE, tokens, strategy: windowed({ window: 1024 / scale, sinks: 4 }) }),
    ],
    figures: (rows) => [
      {
        what: 'windowed 1,024 + 4 sinks against dense',
        value: ratio(rows.ms({ strategy: 'dense' }), rows.ms({ strategy: 'windowed' })),
        unit: 'factor',
      },
    ],
  };
}

export function webgpuSparsePrefill(scale: number): Case {
  const tokens = 8192 / scale;
  const budget = Math.max(192, 512 / scale);
  return {
    name: 'topk',
    title: `Prefill of ${tokens} tokens: pages of the best ${budget} entries, against all`,
    contenders: [
      prefill({ ...SHAPE, tokens, strategy: topk({ budget, queryBlock: SHARING }) }),
      prefill({ ...SHAPE, tokens, strategy: dense() }),
    ],
    figures: (rows) => [
      {
        what: `top-k pages prefill, queryBlock ${SHARING}, against dense`,
        value: againstDense(rows),
        unit: 'factor',
        atLeast: 3,
      },
    ],
  };
}

export function webgpuDecode(scale: number): Case {
  const tokens = 65_536 / scale;
  const budget = Math.max(192, 2048 / scale);
  return {
    name: 'decode',
    title: `A decoder step with ${tokens} keys: pages of the best ${budget} entries, against all`,
    contenders: [
      decode({ ...SHAPE, tokens, strategy: topk({ budget }) }),
      decode({ ...SHAPE, tokens, strategy: dense() }),
    ],
    figures: (rows) => [
      {
        what: 'top-k pages decode against dense decode',
        value: againstDense(rows),
        unit: 'factor',
        atLeast: 8,
      },
    ],
  };
}

const againstDense = (rows: Rows): number | undefined =>
  ratio(rows.ms({ strategy: 'dense' }), rows.ms({ strategy: 'topk' }));
