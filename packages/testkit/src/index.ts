/**
 * Conformance suites for strategies and backends. The test runner is injected by the caller.
 *
 * @packageDocumentation
 */
export {};
