/**
 * Conformance suites for strategies and backends, and what they are made of: random problems, the straight
 * formula, one comparison. The test runner is injected by the caller.
 *
 * @packageDocumentation
 */
export type { HostArray } from './array.js';
export * from './backend/index.js';
export * from './compare.js';
export { assertFails } from './failure.js';
export { callOf, type Inputs, inputsOf } from './inputs.js';
export { type Mask, maskOf, type MaskSpec } from './oracle/mask.js';
export { gated, type Straight, straight, type StraightBranch } from './oracle/straight.js';
export {
  headsOf,
  layerOf,
  type Limits,
  optionsOf,
  type Problem,
  problems,
  tokensOf,
} from './problem.js';
export { cases, holds } from './property.js';
export type { Runner } from './runner.js';
export * from './strategy/index.js';
export * from './tolerances.js';
