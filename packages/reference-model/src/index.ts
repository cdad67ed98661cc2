export { readModelConfig, type ModelConfig } from './config.js';
export { modelDirectory } from './directory.js';
