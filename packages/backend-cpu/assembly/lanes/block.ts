/**
 * Eight queries at a time: a query is a lane. Eight of them lie side by side, channel by channel, and so do their
 * logits, key by key, and what they gather, channel by channel. What they meet, keys and values, is read where it
 * lies, a number at a time: nothing is packed, and no sum or maximum runs across lanes.
 *
 * Six keys (or channels) at a time make twelve accumulators, enough to hide the latency of fused multiply-adds: 98 %
 * of their peak on V8, where eight accumulators reach 91 %. A block is a function of its own with a single loop:
 * short loops inside others V8 unrolls, then loads everything before it multiplies anything, and registers spill
 * (50 %).
 */

/** Bytes of eight numbers: a channel of the queries, or their logits for a key. */
export const LANES: i32 = 32;

/**
 * How many of `left` keys or channels, a multiple of 4 at first, make the next block, so that blocks of four can do
 * what is left. Without fused multiply-adds a product takes a register of its own, and twelve sums would spill.
 */
export function nextBlock(left: i32): i32 {
  return ASC_FEATURE_RELAXED_SIMD && (left > 8 || left === 6) ? 6 : 4;
}
