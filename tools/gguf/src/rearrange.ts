/** Which row of a stored matrix is row `row` of the one wanted. */
export type RowOrder = (row: number) => number;

export const inOrder: RowOrder = (row) => row;

/**
 * Undoes what llama.cpp does to the rows of query and key projections. It turns pairs of neighbours (rows 0
 * and 1, 2 and 3, … of each head) by one angle, Hugging Face turns a row of the first half of the head with
 * one of the second half; so llama.cpp's converter puts such rows side by side.
 */
export function halfSplit(headDim: number): RowOrder {
  const half = headDim / 2;
  return (row) => {
    const inHead = row % headDim;
    const pair = inHead % half;
    const second = inHead >= half ? 1 : 0;
    return row - inHead + 2 * pair + second;
  };
}

/** `[rows, columns]` as `[columns, rows]`, its rows in the order wanted. */
export function transpose(
  values: Float32Array,
  [rows, columns]: readonly number[],
  order: RowOrder = inOrder,
): Float32Array {
  const out = new Float32Array(values.length);
  for (let row = 0; row < rows; row++) {
    const from = order(row) * columns;
    for (let column = 0; column < columns; column++) {
      out[column * rows + row] = values[from + column];
    }
  }
  return out;
}
