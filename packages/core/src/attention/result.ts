import type { AuditReport } from '../audit.js';
import { LifetimeError } from '../errors.js';
import type { KeptPlan } from '../plan.js';
import { type Summary, summarise } from '../statistics.js';
import type { Tensor } from '../tensor.js';

export interface Stats {
  /** Entries read / entries visible. */
  density: number;
  /** Keys (with their values) read, each query and kv head for itself. */
  entriesRead: number;
  /** What dense attention would have read. */
  entriesVisible: number;
  /** Multiplications and additions: logits, weighted sum, and scoring for selections. */
  flops: number;
  /** Bytes of keys, values and scored index entries that were asked for, before any reuse between queries. */
  bytesRead: number;
  /** Bytes of the cache and of the strategy's index after the call. */
  bytesHeld: number;
  /** Share of the true softmax's mass that was read; with `audit()`, where the call's sample is not empty. */
  recall?: Summary;
  /** `‖o - o_full‖ / ‖o_full‖` over the audited sample. */
  outputError?: number;
}

/** What was read of one branch in one chunk; `counts` is on the device until somebody asks. */
export interface BranchCount {
  readonly counts: Tensor<'i32'>;
  readonly flopsPerEntry: number;
  readonly bytesPerEntry: number;
}

export interface Counters {
  readonly branches: readonly BranchCount[];
  readonly entriesVisible: number;
  readonly selectFlops: number;
  readonly selectBytes: number;
  readonly bytesHeld: number;
  readonly audits: readonly Promise<AuditReport>[];
}

/** The result of a call. Dispose of it: that frees output, counters and plan. */
export class AttentionResult {
  /** `[batch, heads, tokens, valueDim]`, or `[batch, tokens, heads, valueDim]` with layout `'bthd'`. */
  readonly output: Tensor<'f32'>;
  /** With `keepPlan`. */
  readonly plan: KeptPlan | undefined;
  readonly #counters: Counters;
  #disposed = false;
  #stats: Promise<Stats> | undefined;

  constructor(output: Tensor<'f32'>, plan: KeptPlan | undefined, counters: Counters) {
    this.output = output;
    this.plan = plan;
    this.#counters = counters;
    const symbol = (Symbol as { dispose?: symbol }).dispose;
    if (symbol) Object.defineProperty(this, symbol, { value: () => this.dispose() });
  }

  /**
   * Waits for the call's work and reads its counters back.
   * @throws {LifetimeError} `TENSOR_DISPOSED` after `dispose()`
   */
  readonly stats = (): Promise<Stats> => {
    if (this.#disposed && !this.#stats) {
      const error = new LifetimeError('stats: expected a live result, got a disposed one', {
        code: 'TENSOR_DISPOSED',
        expected: 'a live result',
        actual: 'a disposed one',
        hint: 'await stats() before result.dispose()',
      });
      return Promise.reject(error);
    }
    return (this.#stats ??= collect(this.#counters));
  };

  dispose(): void {
    if (this.#disposed) return;
    this.#disposed = true;
    this.output.dispose();
    for (const branch of this.#counters.branches) branch.counts.dispose();
    this.plan?.dispose();
  }
}

async function collect(counters: Counters): Promise<Stats> {
  // All reads are asked for before the first await, so that a dispose() in between does no harm.
  const reads = counters.branches.map((branch) => branch.counts.data());
  const audits = Promise.all(counters.audits);
  let entriesRead = 0;
  let flops = counters.selectFlops;
  let bytesRead = counters.selectBytes;
  for (const [i, counts] of (await Promise.all(reads)).entries()) {
    const read = counts.reduce((sum, count) => sum + count, 0);
    const { flopsPerEntry, bytesPerEntry } = counters.branches[i];
    entriesRead += read;
    flops += read * flopsPerEntry;
    bytesRead += read * bytesPerEntry;
  }
  const { entriesVisible, bytesHeld } = counters;
  const density = entriesVisible === 0 ? 0 : entriesRead / entriesVisible;
  return {
    density,
    entriesRead,
    entriesVisible,
    flops,
    bytesRead,
    bytesHeld,
    ...audited(await audits),
  };
}

function audited(reports: readonly AuditReport[]): Pick<Stats, 'recall' | 'outputError'> {
  const recalls = reports.flatMap((report) => report.recalls.flat());
  if (recalls.length === 0) return {};
  const difference = reports.reduce((sum, report) => sum + report.squares.difference, 0);
  const full = reports.reduce((sum, report) => sum + report.squares.full, 0);
  return { recall: summarise(recalls), outputError: relativeError(difference, full) };
}

/** From squared norms; two zero vectors do not differ. */
export function relativeError(difference: number, full: number): number {
  return difference === 0 ? 0 : Math.sqrt(difference / full);
}
