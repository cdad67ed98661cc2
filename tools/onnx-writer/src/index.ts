/**
 * Writes ONNX graphs, and a Llama decoder as one. Private: for the reference model, for tools and tests.
 *
 * @packageDocumentation
 */
export { buildDecoder, type DecoderOptions, type DecoderWeights } from './decoder.js';
export {
  type ConstantArray,
  type ExternalBytes,
  GraphBuilder,
  type ModelOptions,
  type NodeOptions,
  type ValueType,
} from './graph-builder.js';
export { type LlamaConfig } from './config.js';
