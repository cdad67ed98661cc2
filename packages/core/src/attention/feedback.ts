import type { AuditReport } from '../audit.js';

interface StepRecord {
  /** Tokens of each batch row once the step was done. */
  readonly ends: readonly number[];
  readonly report: Promise<AuditReport> | undefined;
  /** The step that was given the report. */
  deliveredTo: number | undefined;
}

/**
 * Audits on their way back to the strategy; each arrives `delay` planned steps after its own, and truncation
 * forgets steps as if they had never been.
 */
export class Feedback {
  readonly #delay: number | undefined;
  /** Number of the first step in `#records`. */
  #first: number;
  /** Only with a delay: without one nothing is fed back. */
  #records: StepRecord[];
  #floor: readonly number[];

  constructor(
    delay: number | undefined,
    first = 0,
    records: readonly StepRecord[] = [],
    floor: readonly number[] = [],
  ) {
    this.#delay = delay;
    this.#first = first;
    this.#records = records.map((record) => ({ ...record }));
    this.#floor = floor;
  }

  /** The shortest lengths that truncation can go back to: of the steps before some were dropped. */
  get floor(): readonly number[] {
    return this.#floor;
  }

  /** The number of the step that is planned next. */
  get step(): number {
    return this.#first + this.#records.length;
  }

  /** The reports that are due; waits for late ones. */
  async due(): Promise<AuditReport[]> {
    if (this.#delay === undefined) return [];
    const old = this.#records.slice(0, Math.max(0, this.#records.length - this.#delay + 1));
    const due = old.filter(({ report, deliveredTo }) => report && deliveredTo === undefined);
    for (const record of due) record.deliveredTo = this.step;
    return Promise.all(due.map(({ report }) => report!));
  }

  /** A step is done, with or without an audit. */
  advance(ends: readonly number[], report: Promise<AuditReport> | undefined): void {
    if (this.#delay === undefined) this.#first++;
    else this.#records.push({ ends, report, deliveredTo: undefined });
  }

  /** Forgets the steps beyond these lengths; what only they were told is due again. */
  truncate(lengths: readonly number[]): void {
    const kept = this.#records.findIndex(({ ends }) => ends.some((end, row) => end > lengths[row]));
    if (kept >= 0) this.#records.length = kept;
    for (const record of this.#records) {
      if (record.deliveredTo !== undefined && record.deliveredTo >= this.step)
        record.deliveredTo = undefined;
    }
  }

  /** Drops steps that no truncation forgets, once the step that was told of them is safe from it as well. */
  settle(lengths: readonly number[], rollback: number): void {
    const open = this.#records.findIndex(({ ends }) =>
      ends.some((end, row) => end > lengths[row] - rollback),
    );
    const safe = open < 0 ? this.step : this.#first + open;
    const isSettled = ({ report, deliveredTo = Infinity }: StepRecord): boolean =>
      !report || deliveredTo < safe;
    let old = 0;
    while (this.#first + old < safe && isSettled(this.#records[old])) old++;
    if (old > 0) this.#floor = this.#records[safe - 1 - this.#first].ends;
    this.#records.splice(0, old);
    this.#first += old;
  }

  fork(): Feedback {
    return new Feedback(this.#delay, this.#first, this.#records, this.#floor);
  }
}
