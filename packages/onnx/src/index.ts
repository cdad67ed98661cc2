/** Just-in-time attention inside existing ONNX models. */
export { adopt } from './adopt.js';
export * from './model.js';
export * from './runtime.js';
export * from './site.js';
export * from './source.js';
export { OnnxGraph } from './graph.js';
export { readGraph } from './graph/read.js';
