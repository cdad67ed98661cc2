import { pointer, real } from '../layout';
import { LOG2E } from '../simd';
import { depthOf, headDimOf, QUERY, queryRow, SCALE, SOFTCAP } from './descriptor';
import { descOf, kvHeadOf, liveRows, QUERIES, rowOf, tokenOf } from './frame';

/** Queries of a task `[rows][depth]`, scaled into base 2, padded with channels and rows of zeros. */
export function packQueries(frame: usize): void {
  const desc = descOf(frame);
  const bytes = depthOf(desc) << 2;
  const rows = liveRows(frame);
  const queries = pointer(frame, QUERIES);
  memory.fill(queries, 0, ((rows + 3) & ~3) * bytes);
  for (let r = 0; r < rows; r++) packQuery(frame, r, queries + r * bytes);
}

function packQuery(frame: usize, r: i32, target: usize): void {
  const desc = descOf(frame);
  const headDim = headDimOf(desc);
  const scale = real(desc, SOFTCAP) > 0 ? real(desc, SCALE) : real(desc, SCALE) * LOG2E;
  const at = queryRow(desc, rowOf(frame), kvHeadOf(frame), tokenOf(frame), r);
  const source = pointer(desc, QUERY) + ((at * headDim) << 2);
  for (let d = 0; d < headDim; d++) {
    store<f32>(target + (d << 2), load<f32>(source + (d << 2)) * scale);
  }
}
