import { pointer, real } from '../layout';
import { LOG2E } from '../simd';
import {
  depthOf,
  headDimOf,
  QUERY,
  queryRow,
  rowAt,
  rowsOf,
  SCALE,
  SOFTCAP,
  stepOf,
} from './descriptor';
import { descOf, kvHeadOf, liveRows, QUERIES, rowOf, tokenOf } from './frame';

/** Queries of a task, laid out as `rowAt` says, scaled into base 2, padded with channels and rows of zeros. */
export function packQueries(frame: usize): void {
  const desc = descOf(frame);
  const depth = depthOf(desc);
  const queries = pointer(frame, QUERIES);
  memory.fill(queries, 0, (rowsOf(desc) * depth) << 2);
  for (let r = 0; r < liveRows(frame); r++) packQuery(frame, r, rowAt(desc, queries, depth, r));
}

function packQuery(frame: usize, r: i32, target: usize): void {
  const desc = descOf(frame);
  const headDim = headDimOf(desc);
  const step = stepOf(desc);
  const scale = real(desc, SOFTCAP) > 0 ? real(desc, SCALE) : real(desc, SCALE) * LOG2E;
  const at = queryRow(desc, rowOf(frame), kvHeadOf(frame), tokenOf(frame), r);
  const source = pointer(desc, QUERY) + ((at * headDim) << 2);
  for (let d = 0; d < headDim; d++) {
    store<f32>(target, load<f32>(source + (d << 2)) * scale);
    target += step;
  }
}
