/** What tests of strategies share: random cases, straight formulas, and every way of running a strategy. */
export * from './examine.js';
export * from './ground.js';
export * from './inputs.js';
export * from './problem.js';
export * from './random.js';
export * from './reads.js';
export * from './stack.js';
export * from './straight.js';
export * from './transcript.js';
