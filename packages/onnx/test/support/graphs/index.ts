import type { Kind } from './kind.js';
import { DECOMPOSED } from './kinds/decomposed.js';
import { GROUP_QUERY } from './kinds/group-query.js';
import { MULTI_HEAD } from './kinds/multi-head.js';
import { STANDARD } from './kinds/standard.js';

export { SIZES, type Sizes, type SmallModel, VOCABULARY } from './frame.js';
export type { Kind } from './kind.js';
export type { Storage } from './weights.js';

/** Every kind of model that is adopted, by the operator of its attention. */
export const FAMILIES: Readonly<Record<string, readonly Kind[]>> = {
  GroupQueryAttention: GROUP_QUERY,
  MultiHeadAttention: MULTI_HEAD,
  Attention: STANDARD,
  Softmax: DECOMPOSED,
};
