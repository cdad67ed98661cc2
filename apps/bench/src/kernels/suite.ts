import type { MakeCase, Suite } from '../race/case.js';
import { deepseekDecode, topkDecode } from './decodes.js';
import { peakMemory } from './memory.js';
import { densePrefill, slope, topkPrefill, twoThreads, windowedPrefill } from './prefills.js';
import { sharedRecall } from './recall.js';
import { selectTokens } from './select.js';
import { webgpuDecode, webgpuPrefill, webgpuSparsePrefill } from './webgpu.js';

const CPU: readonly MakeCase[] = [
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
];
/** Fewer: without a GPU they run on software. */
const WEBGPU: readonly MakeCase[] = [webgpuPrefill, webgpuSparsePrefill, webgpuDecode];

/** What the kernels of the backends reach. */
export const KERNELS: Suite = {
  name: 'kernels',
  description: 'what the kernels of a backend reach, each figure beside its target',
  backends: ['cpu', 'webgpu'],
  cases: (scale, backend) => (backend === 'cpu' ? CPU : WEBGPU).map((make) => make(scale)),
};
