import { assertAxis, assertRange, assertRank, assertShape } from './check.js';
import { type DType, DTYPES } from './dtype.js';
import { inputError } from './errors.js';
import { sizeOf, type Tensor } from './tensor.js';

/** Checks for the primitives of backends that make tensors, or write into those that are there already. */

/** @throws {InputError} `INVALID_DTYPE`; `INVALID_SHAPE` for no axes, or sizes that are no whole numbers */
export function assertSpec(where: string, shape: readonly number[], dtype: DType): void {
  if (!DTYPES.includes(dtype)) {
    const expected = `a dtype of ${DTYPES.join(', ')}`;
    throw inputError(where, expected, dtype, { code: 'INVALID_DTYPE' });
  }
  if (shape.length === 0 || !shape.every((length) => Number.isInteger(length) && length >= 0)) {
    const code = 'INVALID_SHAPE';
    throw inputError(where, 'a shape of whole numbers', [...shape], { code });
  }
}

/** For `Backend.tensor`. @throws {InputError} `INVALID_SHAPE` for another count, `INVALID_DTYPE` for another array */
export function assertData(
  data: Float32Array | Int32Array,
  shape: readonly number[],
  dtype: DType,
): void {
  if (data.length !== sizeOf(shape)) {
    const expected = `${sizeOf(shape)} numbers for shape [${shape.join(', ')}]`;
    throw inputError('tensor', expected, data.length, { code: 'INVALID_SHAPE' });
  }
  if (data instanceof Int32Array !== (dtype === 'i32')) {
    const expected = dtype === 'i32' ? 'an Int32Array' : 'a Float32Array';
    throw inputError('tensor', expected, data, { code: 'INVALID_DTYPE' });
  }
}

/** For `Backend.writeRows`. @throws {InputError} `INVALID_SHAPE`; `INVALID_OPTION` for slots that are not there */
export function assertWriteRows(target: Tensor, source: Tensor, slots: Int32Array): void {
  assertRank('writeRows: target', target, 4);
  assertRank('writeRows: source', source, 4);
  const [pages, heads, pageSize, width] = target.shape as [number, number, number, number];
  const [batch, , tokens] = source.shape as [number, number, number];
  assertShape('writeRows: source', source, [batch, heads, tokens, width]);
  if (slots.length !== batch * tokens)
    throw inputError('writeRows', `${batch * tokens} slots`, slots.length);
  for (const slot of slots)
    if (slot >= 0) assertRange('writeRows', [slot, slot + 1], pages * pageSize);
}

/** For `Backend.copyPages`. @throws {InputError} `INVALID_SHAPE`, `INVALID_DTYPE`; `INVALID_OPTION` for the pages */
export function assertCopyPages(
  source: Tensor,
  target: Tensor,
  from: readonly number[],
  to: readonly number[],
): void {
  assertShape('copyPages: target', target, [target.shape[0], ...source.shape.slice(1)]);
  assertDType('copyPages: target', target, source);
  if (from.length !== to.length) throw inputError('copyPages', `${from.length} targets`, to.length);
  for (const page of from) assertRange('copyPages: from', [page, page + 1], source.shape[0]);
  for (const page of to) assertRange('copyPages: to', [page, page + 1], target.shape[0]);
}

/** For `Backend.copyInto`. @throws {InputError} `INVALID_SHAPE`, `INVALID_DTYPE`; `INVALID_OPTION` for the place */
export function assertCopyInto(
  target: Tensor,
  source: Tensor,
  { axis, at }: { axis: number; at: number },
): void {
  assertAxis('copyInto', target, axis);
  const count = source.shape[axis];
  const cut = target.shape.map((size, i) => (i === axis ? count : size));
  assertShape('copyInto: source', source, cut);
  assertDType('copyInto: source', source, target);
  assertRange('copyInto', [at, at + count], target.shape[axis]);
  if (target.dtype === 'i8' && axis === target.shape.length - 1)
    throw inputError('copyInto', 'an axis before the last: rows of i8 share a scale', axis);
}

function assertDType(where: string, tensor: Tensor, like: Tensor): void {
  if (tensor.dtype === like.dtype) return;
  throw inputError(where, `dtype ${like.dtype}`, tensor.dtype, { code: 'INVALID_DTYPE' });
}
