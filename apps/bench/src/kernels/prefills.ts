import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';
import { windowed } from '@jit-attention/strategy-windowed';

import { linearRegression } from 'simple-statistics';

import { SHARING } from '../candidates/built-in.js';
import { type Case, ratio } from '../race/case.js';
import { prefill } from '../race/prefill.js';
import { EIGHT_HEADS } from '../race/shape.js';
import { FMA, fma } from './fma.js';

const DENSE = { ...EIGHT_HEADS, strategy: dense() };

export function densePrefill(scale: number): Case {
  const tokens = 4096 / scale;
  return {
    name: 'dense',
    title: `Dense prefill of ${tokens} tokens, against bare multiply-adds`,
    contenders: [prefill({ ...DENSE, tokens }), fma()],
    figures: (rows) => [
      {
        what: 'dense prefill, share of the multiply-add peak',
        value: ratio(rows.gflops({ strategy: 'dense' }), rows.gflops({ strategy: FMA })),
        unit: 'share',
        atLeast: 0.65,
      },
    ],
  };
}

export function twoThreads(scale: number): Case {
  const tokens = 8192 / scale;
  const threads = [1, 2] as const;
  return {
    name: 'threads',
    title: `Two threads against one: dense prefill of ${tokens} tokens, and bare multiply-adds`,
    contenders: [
      ...threads.map((count) => prefill({ ...DENSE, tokens, threads: count, same: count > 1 })),
      ...threads.map(fma),
    ],
    figures(rows) {
      const [ours, bare] = ['dense', FMA].map((strategy) =>
        ratio(rows.gflops({ strategy, threads: 2 }), rows.gflops({ strategy, threads: 1 })),
      );
      return [
        { what: 'two threads of bare multiply-adds against one', value: bare, unit: 'factor' },
        { what: 'two threads of dense prefill against one', value: ours, unit: 'factor' },
        {
          what: 'share of what two threads gain at all',
          value: ratio(ours, bare),
          unit: 'share',
          atLeast: 0.92,
        },
      ];
    },
  };
}

export function windowedPrefill(scale: number): Case {
  const tokens = 32_768 / scale;
  const strategy = windowed({ window: 1024 / scale, sinks: 4 });
  return {
    name: 'windowed',
    title: `Windowed prefill of ${tokens} tokens, against the dense kernel`,
    contenders: [
      prefill({ ...EIGHT_HEADS, strategy, tokens }),
      prefill({ ...DENSE, tokens: 4096 / scale }),
    ],
    figures: (rows) => [
      {
        what: "windowed 1,024 + 4 sinks, GFLOP/s against the dense kernel's",
        value: ratio(rows.gflops({ strategy: 'windowed' }), rows.gflops({ strategy: 'dense' })),
        unit: 'share',
        atLeast: 0.8,
      },
    ],
  };
}

export function topkPrefill(scale: number): Case {
  const tokens = 16_384 / scale;
  const budget = Math.max(192, 1024 / scale);
  const shared = topk({ budget, queryBlock: SHARING });
  return {
    name: 'topk',
    title: `Prefill of ${tokens} tokens: pages of the best ${budget} entries, against all`,
    contenders: [
      prefill({ ...EIGHT_HEADS, strategy: shared, tokens, variant: `queryBlock ${SHARING}` }),
      prefill({ ...EIGHT_HEADS, strategy: topk({ budget }), tokens, variant: 'queryBlock 1' }),
      prefill({ ...DENSE, tokens }),
    ],
    figures(rows) {
      const times = [SHARING, 1].map((block) => rows.ms({ case: `topk queryBlock ${block}` }));
      const all = rows.ms({ strategy: 'dense' });
      return [
        {
          what: `top-k pages prefill, queryBlock ${SHARING}, against dense`,
          value: ratio(all, times[0]),
          unit: 'factor',
          atLeast: 5,
        },
        {
          what: 'top-k pages prefill, queryBlock 1, against dense',
          value: ratio(all, times[1]),
          unit: 'factor',
        },
      ];
    },
  };
}

export function slope(scale: number): Case {
  const lengths = [8192, 16_384, 32_768, 65_536].map((tokens) => tokens / scale);
  const strategy = topk({ budget: Math.max(192, 1024 / scale), queryBlock: SHARING });
  return {
    name: 'slope',
    title: `Top-k pages prefill of ${lengths[0]} to ${lengths.at(-1)} tokens: how time grows`,
    contenders: lengths.map((tokens) => prefill({ ...EIGHT_HEADS, strategy, tokens })),
    figures(rows) {
      const points = lengths.map((tokens) => [tokens, rows.ms({ tokens })] as const);
      return [
        {
          what: 'slope of log time over log tokens, budget fixed',
          value: slopeOf(points),
          unit: 'number',
          atMost: 1.3,
        },
      ];
    },
  };
}

/** Of the line through the logarithms. */
function slopeOf(points: readonly (readonly [number, number | undefined])[]): number | undefined {
  if (points.some(([, ms]) => ms === undefined)) return undefined;
  return linearRegression(points.map(([tokens, ms]) => [Math.log(tokens), Math.log(ms!)])).m;
}
