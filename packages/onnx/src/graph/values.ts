import { getFloat16 } from '@petamoriken/float16';
import { type TensorProto, TensorProto_DataType as DataType } from 'onnx-buf';

/** Reads the elements of a tensor that lies in the graph itself; undefined for other types, and for external data. */
export function numbersOf(tensor: TensorProto): number[] | undefined {
  if (tensor.externalData.length > 0) return undefined;
  const { rawData } = tensor;
  const dataType: DataType = tensor.dataType;
  if (rawData.byteLength > 0) return READERS[dataType]?.(viewOf(rawData));
  switch (dataType) {
    case DataType.FLOAT:
      return [...tensor.floatData];
    case DataType.DOUBLE:
      return [...tensor.doubleData];
    case DataType.INT64:
      return tensor.int64Data.map(Number);
    case DataType.FLOAT16:
      return tensor.int32Data.map(halfFromBits);
    default:
      return [...tensor.int32Data];
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

const each =
  (size: number, get: (view: DataView, at: number) => number) =>
  (view: DataView): number[] =>
    Array.from({ length: view.byteLength / size }, (_, i) => get(view, size * i));

/** Raw data are little-endian; 64-bit integers in graphs are shapes, axes and positions. */
const READERS: Readonly<Record<number, (view: DataView) => number[]>> = {
  [DataType.FLOAT]: each(4, (view, at) => view.getFloat32(at, true)),
  [DataType.DOUBLE]: each(8, (view, at) => view.getFloat64(at, true)),
  [DataType.FLOAT16]: each(2, (view, at) => getFloat16(view, at, true)),
  [DataType.INT64]: each(8, (view, at) => Number(view.getBigInt64(at, true))),
  [DataType.INT32]: each(4, (view, at) => view.getInt32(at, true)),
  [DataType.INT8]: each(1, (view, at) => view.getInt8(at)),
  [DataType.UINT8]: each(1, (view, at) => view.getUint8(at)),
  [DataType.BOOL]: each(1, (view, at) => view.getUint8(at)),
};

function halfFromBits(bits: number): number {
  const view = new DataView(new ArrayBuffer(2));
  view.setUint16(0, bits);
  return getFloat16(view, 0);
}
