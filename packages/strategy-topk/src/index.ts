/**
 * Top-k attention: the entries, or pages of entries, that score highest for the query.
 *
 * @packageDocumentation
 */
export {};
