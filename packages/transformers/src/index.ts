/**
 * Just-in-time attention inside transformers.js.
 *
 * @packageDocumentation
 */
export { adoptTransformers, type AdoptTransformersOptions } from './adopt.js';
export { TransformersHandle, type TransformersReport } from './handle.js';
export type { KeptCache } from './kept-cache.js';
export type { LoadedModel } from './loaded-model.js';
