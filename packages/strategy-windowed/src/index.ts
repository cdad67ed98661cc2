/**
 * Windowed attention: the most recent entries, and the first few (the sinks).
 *
 * @packageDocumentation
 */
export {};
