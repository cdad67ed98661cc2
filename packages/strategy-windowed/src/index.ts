/**
 * Windowed attention: the most recent entries, and the first few (the sinks).
 *
 * @packageDocumentation
 */
export { windowed, type WindowedOptions } from './windowed.js';
