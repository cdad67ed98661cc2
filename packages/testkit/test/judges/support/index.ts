/** What tests of strategies share: random cases, straight formulas, and every way of running a strategy. */
export * from './compare.js';
export * from './examine.js';
export * from './inputs.js';
export * from './problem.js';
export * from './property.js';
export * from './random.js';
export * from './reads.js';
export * from './stack.js';
export * from './straight.js';
export * from './transcript.js';
