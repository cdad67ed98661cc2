/** What `--json` writes. `schema/results.schema.json` says the same as a JSON Schema. */
export interface BenchResults {
  readonly schema: 1;
  readonly environment: Environment;
  readonly results: readonly ResultRow[];
}

/** One implementation in one case. */
export interface ResultRow {
  readonly suite: string;
  /** What was measured: `layer.2`, and the strategy's variant if it has one: `layer.2 page`. */
  readonly case: string;
  /** `jit-attention`, or a peer. */
  readonly implementation: string;
  readonly strategy: string;
  readonly backend: string;
  readonly threads: number;
  /** Tokens of context. */
  readonly tokens: number;
  /** Queries that were measured, of as many as there are tokens. */
  readonly queries: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  /** Entries a query may read; null where there is no such limit. */
  readonly budget: number | null;
  readonly metrics: Metrics;
  /** Why the row failed; metrics that were not reached are null. */
  readonly error?: string;
  /** What one must know of how it was measured. */
  readonly note?: string;
}

/** null: not measured. */
export interface Metrics {
  /** Milliseconds for all queries of the row; a median. */
  readonly ms: number | null;
  /** Of what the strategy computes, scoring included; not of what dense attention would. */
  readonly gflops: number | null;
  /** Entries read / entries visible. */
  readonly density: number | null;
  /** Share of the true attention mass that was read, over queries and heads: its mean. */
  readonly recallMean: number | null;
  /** Its 5th percentile: 95 % of the queries and heads are served better. */
  readonly recallP5: number | null;
  /** `‖o - o_dense‖ / ‖o_dense‖` */
  readonly outputError: number | null;
  /** Bytes of keys, values and scored index entries that were asked for. */
  readonly bytesRead: number | null;
  /** Most bytes of WASM memory; only where that is what is measured. */
  readonly peakBytes?: number;
  /** Of `bench model`: predictions, questions or tokens behind the row's figures. */
  readonly cases?: number;
  /** A token. */
  readonly perplexity?: number;
  /** Relative to dense attention's over the same tokens, and what the 95 % interval adds and takes. */
  readonly perplexityChange?: number;
  readonly perplexityChangeError?: number;
  /** Mean `KL(dense ‖ this)` of next-token distributions, in nats. */
  readonly divergence?: number;
  /** Of `cases`: questions answered right, or tokens that are the uncut model's before the first that is not. */
  readonly found?: number;
  /** Of a logit, from the uncut model's. */
  readonly largestDifference?: number;
}

/** Where and on what the numbers were made. */
export interface Environment {
  /** ISO 8601. */
  readonly date: string;
  /** What to type to get the same. */
  readonly command: string;
  /** Of `@jit-attention/bench`. */
  readonly version: string;
  readonly node: string;
  readonly platform: string;
  readonly cpu: string;
  readonly cores: number;
  /** The WebGPU adapter, where that is what is timed. */
  readonly gpu?: string;
  /** Where queries, keys and values came from. */
  readonly model: string;
  /** What the model was reading. */
  readonly text: string;
  readonly seed: number;
  /** Repetitions behind each median. */
  readonly repetitions: number;
}
