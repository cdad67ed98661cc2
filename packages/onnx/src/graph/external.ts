import { create } from '@bufbuild/protobuf';
import {
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation as DataLocation,
} from 'onnx-buf';

/** Where the elements of a tensor lie that are not in the graph itself. */
export interface ExternalData {
  /** Relative to the model file. */
  readonly location: string;
  readonly offset: number;
  /** Bytes; undefined: to the end of the file. */
  readonly length: number | undefined;
}

export function externalDataOf({ externalData }: TensorProto): ExternalData {
  const {
    location = '',
    offset = '0',
    length,
  } = Object.fromEntries(externalData.map(({ key, value }) => [key, value]));
  return {
    location: location.replace(/^\.\//, ''),
    offset: Number(offset),
    length: length === undefined ? undefined : Number(length),
  };
}

/** Makes a tensor a reference, and drops its own elements. */
export function referTo(tensor: TensorProto, place: ExternalData): void {
  tensor.dataLocation = DataLocation.EXTERNAL;
  tensor.externalData = Object.entries(place)
    .filter(([, value]) => value !== undefined)
    .map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value: String(value as string | number) }),
    );
  tensor.rawData = new Uint8Array(0);
}
