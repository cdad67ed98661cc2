/** Where the benchmark's queries, keys and values come from: a model that reads a text, or a file. */
export {
  type AttentionConfig,
  type AttentionData,
  firstTokens,
  type LayerData,
} from './attention-data.js';
export { captureAttention, type CaptureOptions, type CaptureProgress } from './capture.js';
export { readQkv, writeQkv } from './qkv.js';
export { bookText, readText } from './text.js';
export { encodeUpTo, loadTokenizer } from './tokenize.js';
