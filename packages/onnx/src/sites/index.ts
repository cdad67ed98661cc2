import type { Matcher } from '../site.js';
import { attention } from './attention.js';
import { softmaxAttention } from './decomposed/softmax.js';
import { groupQueryAttention } from './group-query.js';
import { multiHeadAttention } from './multi-head.js';
import { otherAttention } from './others.js';

/** Every way to write attention that is known; a node is the business of one at most. */
export const matchers: readonly Matcher[] = [
  groupQueryAttention,
  multiHeadAttention,
  attention,
  softmaxAttention,
  otherAttention,
];
