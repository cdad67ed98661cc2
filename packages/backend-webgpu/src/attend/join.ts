import { kernel, type Kernel, read, write } from '../device/kernel.js';
import { FINITE } from './finite.js';

/**
 * Joins slices of partial results, of the same rows over different entries, by their log-sum-exps. A thread writes a
 * channel of a row. Words: `[rows, valueDim, slices, heads a kv head, tokens, NaN]`.
 */
export const JOIN: Kernel = kernel({
  name: 'attend join',
  buffers: {
    parts: read('f32'),
    stats: read('u32'),
    output: write('f32'),
    log_sum_exps: write('u32'),
    counts: write('i32'),
  },
  declarations: FINITE,
  body: /* wgsl */ `
  let rows = u32(words[1]);
  let value_dim = u32(words[2]);
  let slices = u32(words[3]);
  let group_size = u32(words[4]);
  let all = rows + rows / group_size;
  let row = item / value_dim;
  if (row >= rows) { return; }

  var most = -LARGEST;
  for (var i = 0u; i < slices; i++) { most = max(most, tamed(bitcast<f32>(stats[i * all + row]))); }
  var sum = 0.0;
  var out = 0.0;
  for (var i = 0u; i < slices; i++) {
    let part = bitcast<f32>(stats[i * all + row]);
    if (stats[i * all + row] == 0xff800000u) { continue; }
    let weight = exp(tamed(part) - most) + select(0.0, bitcast<f32>(words[6]), is_nan(part));
    sum += weight;
    out += weight * parts[(i * rows + row) * value_dim + item % value_dim];
  }
  output[item] = out * select(1 / sum, 0.0, sum == 0);
  if (item % value_dim > 0) { return; }
  log_sum_exps[row] = log_sum_exp(most, sum);

  let tokens = u32(words[5]);
  let head = row / tokens;
  if (head % group_size > 0) { return; }
  let asker = head / group_size * tokens + row % tokens;
  var count = 0u;
  for (var i = 0u; i < slices; i++) { count += stats[i * all + rows + asker]; }
  counts[asker] = i32(count);`,
});
