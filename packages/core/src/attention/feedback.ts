import type { AuditReport } from '../audit.js';

interface Pending {
  readonly step: number;
  readonly report: Promise<AuditReport>;
}

/** Audits on their way back to the strategy; each arrives exactly `delay` steps after its own. */
export class Feedback {
  #step = 0;
  #pending: Pending[];
  readonly #delay: number | undefined;

  constructor(delay: number | undefined, pending: Pending[] = [], step = 0) {
    this.#delay = delay;
    this.#pending = pending;
    this.#step = step;
  }

  /** The number of the step that is planned next. */
  get step(): number {
    return this.#step;
  }

  /** The reports that are due; waits for late ones. */
  async due(): Promise<AuditReport[]> {
    const delay = this.#delay;
    if (delay === undefined) return [];
    const due = this.#pending.filter(({ step }) => step <= this.#step - delay);
    this.#pending = this.#pending.filter(({ step }) => step > this.#step - delay);
    return Promise.all(due.map(({ report }) => report));
  }

  /** A step is done, with or without an audit. */
  advance(report: Promise<AuditReport> | undefined): void {
    if (report && this.#delay !== undefined) this.#pending.push({ step: this.#step, report });
    this.#step++;
  }

  fork(): Feedback {
    return new Feedback(this.#delay, [...this.#pending], this.#step);
  }
}
