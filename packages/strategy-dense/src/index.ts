/**
 * Dense attention: the strategy that reads everything, and the yardstick for the others.
 *
 * @packageDocumentation
 */
export { dense } from './dense.js';
