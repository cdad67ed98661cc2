import type { Tiling } from './tiling.js';
import { unroll } from './unroll.js';

/**
 * WGSL that writes results into a slice: of `output`, `[BATCH, HEADS, TOKENS, VALUE_DIM]`; of `stats`, the log-sum-exps
 * `[BATCH, HEADS, TOKENS]`, then the counts `[BATCH, KV_HEADS, TOKENS]`. `whole`: values are whole vectors of four.
 */
export const results = (whole: boolean): string => /* wgsl */ `
fn rows_of_slice() -> i32 { return word(BATCH) * word(HEADS) * word(TOKENS); }

fn store_stats(slice: i32, block: Block, row: Row, log_sum_exp: u32, count: u32) {
  let rows = rows_of_slice();
  let begin = slice * (rows + rows / block.group_size);
  stats[begin + number_of(block, row)] = log_sum_exp;
  if (row.head % block.group_size == 0) {
    let run = block.batch * word(KV_HEADS) + block.kv_head;
    stats[begin + rows + run * word(TOKENS) + row.token] = count;
  }
}

fn store_four(slice: i32, block: Block, row: Row, channel: u32, value: vec4f) {
  let width = u32(word(VALUE_DIM));
  let at = u32(slice * rows_of_slice() + number_of(block, row)) * width + channel;
  ${whole ? 'if (channel < width) { output[at / 4] = value; }' : CHANNELS}
}
`;

const CHANNELS = /* wgsl */ `if (channel < width) { output[at] = value.x; }
  if (channel + 1 < width) { output[at + 1] = value.y; }
  if (channel + 2 < width) { output[at + 2] = value.z; }
  if (channel + 3 < width) { output[at + 3] = value.w; }`;

/** Stores what a thread has. In a loop: written out for each row it would be most of the kernel, and it is but its end. */
export function store({ rows, slots }: Tiling, channel: string): string {
  const each = (type: string, name: string): string =>
    `array<${type}, ${rows}>(${unroll({ r: rows }, `${name}$r,`)})`;
  const outputs = unroll({ r: rows, s: slots }, 'out$r_$s,');
  return /* wgsl */ `
  var mosts = ${each('f32', 'most')};
  var sums = ${each('f32', 'sum')};
  var reads = ${each('u32', 'count')};
  var outputs = array<vec4f, ${rows * slots}>(${outputs});
  for (var r = 0; r < ${rows}; r++) {
    let row = row_of(block, first + r);
    if (row.live && side == 0) {
      store_stats(slice, block, row, log_sum_exp(mosts[r], sums[r]), reads[r]);
    }
    let share = select(1 / sums[r], 0.0, sums[r] == 0);
    for (var s = 0; s < ${slots} && row.live; s++) {
      store_four(slice, block, row, ${channel.replaceAll('$s', 'u32(s)')}, share * outputs[r * ${slots} + s]);
    }
  }`;
}
