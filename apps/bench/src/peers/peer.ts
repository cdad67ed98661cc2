import type { BenchBackend } from '../race/case.js';
import type { Inputs, Shape } from '../race/shape.js';

/** Another implementation of the same causal attention, on one thread. */
export interface Peer {
  /** `onnxruntime-node/GroupQueryAttention` */
  readonly implementation: string;
  readonly backend: BenchBackend;
  /** Where it runs. Default: in a process of Node. */
  readonly host?: 'chromium' | undefined;
  /** Known to compute something else, in the same time; absent: it is an error if it does. */
  readonly mayDiffer?: boolean | undefined;
  /** Loads it and gives it the inputs. */
  open(shape: Shape, inputs: Inputs): Promise<Opened>;
}

/** A peer that is ready. */
export interface Opened {
  /** Resolves once the output is there, as numbers in its process. */
  run(): Promise<Float32Array>;
  /** The output as `[heads, tokens, valueDim]`; not timed. Default: it is that already. */
  arrange?(output: Float32Array): Float32Array;
}
