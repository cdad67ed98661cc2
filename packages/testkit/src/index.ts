/**
 * Conformance suites for strategies and backends. The test runner is injected by the caller.
 *
 * @packageDocumentation
 */
export * from './backend/index.js';
export * from './compare.js';
export type { Limits } from './problem.js';
export { cases, holds } from './property.js';
export type { Runner } from './runner.js';
export * from './strategy/index.js';
export * from './tolerances.js';
