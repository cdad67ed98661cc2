import type { Suite } from '../race/case.js';
import { deepseekDecode, topkDecode } from './decodes.js';
import { peakMemory } from './memory.js';
import { densePrefill, slope, topkPrefill, twoThreads, windowedPrefill } from './prefills.js';
import { sharedRecall } from './recall.js';
import { selectTokens } from './select.js';

/** What the kernels of the CPU backend reach. */
export const KERNELS: Suite = {
  name: 'kernels',
  description: 'what the kernels of the CPU backend reach, each figure beside its target',
  cases: (scale) =>
    [
      densePrefill,
      twoThreads,
      windowedPrefill,
      topkPrefill,
      sharedRecall,
      topkDecode,
      slope,
      selectTokens,
      deepseekDecode,
      peakMemory,
    ].map((make) => make(scale)),
};
