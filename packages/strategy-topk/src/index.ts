/**
 * Top-k attention: the entries, or pages of entries, that score highest for the query.
 *
 * @packageDocumentation
 */
export type { TopkOptions } from './options.js';
export { topk } from './topk.js';
