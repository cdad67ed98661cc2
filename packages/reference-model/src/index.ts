export { readModelConfig, type ModelConfig } from './config.ts';
export { modelDirectory } from './directory.ts';
