export * from './site.js';
export { OnnxGraph } from './graph.js';
export { readGraph } from './graph/read.js';
