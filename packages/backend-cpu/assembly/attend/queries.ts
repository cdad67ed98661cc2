import { pointer, real } from '../layout';
import { LOG2E } from '../simd';
import { headDimOf, QUERY, queryRow, SCALE, SOFTCAP } from './descriptor';
import { descOf, kvHeadOf, liveRows, QUERIES, rowOf, tokenOf } from './frame';

/** Rows of a task that are too few for packed keys to pay. */
export const FEW: i32 = 4;

/**
 * Queries of a task, scaled into base 2, padded with rows of zeros: as strips `[rows / 4][headDim][4]`, or row after
 * row where they are {@link FEW}.
 */
export function packQueries(frame: usize): void {
  const desc = descOf(frame);
  const headDim = headDimOf(desc);
  const scale = real(desc, SOFTCAP) > 0 ? real(desc, SCALE) : real(desc, SCALE) * LOG2E;
  const rows = liveRows(frame);
  const few = rows <= FEW;
  const queries = pointer(frame, QUERIES);
  for (let r = 0; r < ((rows + 3) & ~3); r++) {
    const target =
      queries + (few ? (r * headDim) << 2 : (((r & ~3) * headDim) << 2) + ((r & 3) << 2));
    packQuery(frame, r, r < rows ? scale : 0, target, few ? 4 : 16);
  }
}

function packQuery(frame: usize, r: i32, scale: f32, target: usize, step: usize): void {
  const desc = descOf(frame);
  const headDim = headDimOf(desc);
  const at = queryRow(desc, rowOf(frame), kvHeadOf(frame), tokenOf(frame), r);
  const source = pointer(desc, QUERY) + ((at * headDim) << 2);
  for (let d = 0; d < headDim; d++) {
    store<f32>(target, scale === 0 ? 0 : load<f32>(source + (d << 2)) * scale);
    target += step;
  }
}
