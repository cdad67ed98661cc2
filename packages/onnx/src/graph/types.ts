import { TensorProto_DataType as DataType } from 'onnx-buf';

/** ONNX Runtime's names of element types in the format's numbers. */
export const DATA_TYPES: Readonly<Record<string, DataType>> = {
  float32: DataType.FLOAT,
  float16: DataType.FLOAT16,
  float64: DataType.DOUBLE,
  int64: DataType.INT64,
  int32: DataType.INT32,
  int16: DataType.INT16,
  int8: DataType.INT8,
  uint64: DataType.UINT64,
  uint32: DataType.UINT32,
  uint16: DataType.UINT16,
  uint8: DataType.UINT8,
  bool: DataType.BOOL,
  string: DataType.STRING,
};

/** The other way round. */
export function typeName(type: DataType | undefined): string | undefined {
  return Object.keys(DATA_TYPES).find((name) => DATA_TYPES[name] === type);
}
