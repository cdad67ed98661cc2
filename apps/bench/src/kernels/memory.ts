import { dense } from '@jit-attention/strategy-dense';

import { type Case, ratio } from '../race/case.js';
import type { Contender, Lap } from '../race/contender.js';
import { prefill } from '../race/prefill.js';
import { EIGHT_HEADS } from '../race/shape.js';
import { watched } from './wasm-memory.js';

export function peakMemory(scale: number): Case {
  const tokens = 65_536 / scale;
  const { heads, headDim, valueDim } = EIGHT_HEADS;
  const tensors = 4 * heads * tokens * (2 * headDim + 2 * valueDim);
  return {
    name: 'memory',
    title: `WASM memory of a dense prefill of ${tokens} tokens`,
    contenders: [withMemory(prefill({ ...EIGHT_HEADS, strategy: dense(), tokens }))],
    figures: (rows) => [
      {
        what: 'peak WASM memory over query, key, value and output',
        value: ratio(rows.find({ strategy: 'dense' })?.metrics.peakBytes, tensors),
        unit: 'factor',
        atMost: 1.25,
      },
    ],
  };
}

/** Of the first run, inputs included. */
function withMemory(contender: Contender): Contender {
  return {
    ...contender,
    async start() {
      const [runner, bytes] = await watched(() => contender.start());
      return {
        run: async () => countingMemory(await runner.run(), bytes()),
        dispose: () => runner.dispose(),
      };
    },
  };
}

function countingMemory(lap: Lap, peakBytes: number): Lap {
  return { ...lap, counts: async () => ({ ...(await lap.counts?.()), peakBytes }) };
}
