import type { TensorProto_DataType as DataType } from 'onnx-buf';

/** A number that may not be known before the model runs. */
export type Known = number | undefined;

/** What can be said of a value without running the model. Whatever is missing is not known. */
export interface Fact {
  readonly type?: DataType | undefined;
  /** Its sizes; absent: not even how many. */
  readonly dims?: readonly Known[] | undefined;
  /** Its elements, for scalars and short lists: scales, shapes, axes. */
  readonly numbers?: readonly Known[] | undefined;
}

/** What a rule is given: a node, and what is known of its inputs (`{}` for one that is left out). */
export interface Asked {
  readonly inputs: readonly Fact[];
  readonly outputs: number;
  readonly int: (attribute: string, byDefault: number) => number;
  /** An attribute in old operator sets, an input in new ones. */
  readonly ints: (attribute: string, input: number) => readonly Known[] | undefined;
}

/** What is known of a node's outputs, in order. */
export type Rule = (asked: Asked) => readonly Fact[];

/** Longer lists are weights, not shapes. */
export const FEW = 16;
