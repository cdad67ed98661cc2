import { Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 } from './blocks-of-32.js';
import { Q4_K, Q5_K, Q6_K } from './blocks-of-256.js';
import { BF16, F16, F32 } from './floats.js';
import type { Format } from './format.js';

export { decodeBlocks, type Format } from './format.js';
export { toHalves } from './half.js';

/** The formats that can be read, by ggml's names. */
export const FORMATS: Readonly<Record<string, Format>> = {
  ...{ F32, F16, BF16 },
  ...{ Q4_0, Q4_1, Q5_0, Q5_1, Q8_0 },
  ...{ Q4_K, Q5_K, Q6_K },
};
