import type { AuditReport } from '../audit.js';
import type { AttendRequest, AttendResult } from '../backend.js';
import { type Defaults, readTheSame } from '../melt.js';
import type { Branch, Plan } from '../plan.js';
import { all } from '../selection.js';
import type { Tensor } from '../tensor.js';
import { announce, auditChunk } from './auditor.js';
import type { Execution } from './execute.js';

/** One chunk, done. */
export interface Done {
  readonly plan: Plan;
  /** Its branches as they were attended to, and the request of each. */
  readonly branches: readonly Branch[];
  readonly requests: readonly AttendRequest[];
  readonly joined: Pick<AttendResult, 'output' | 'logSumExp'>;
  readonly sinkLogits: Tensor | undefined;
}

/** The audits of a call; its listeners hear of them once the call has succeeded. */
export class Audits {
  readonly #call: Execution;
  readonly #reports: Promise<AuditReport>[] = [];

  constructor(call: Execution) {
    this.#call = call;
  }

  /** Queues the audit of a chunk; undefined where there is none. */
  add(done: Done, defaults: Defaults): Promise<AuditReport> | undefined {
    const { site, feedback, values, visible } = this.#call;
    const options = site.strategy.audit;
    if (!options || !comparable(done, defaults)) return undefined;
    const report = auditChunk(site.backend, options, {
      request: { ...done.requests[0], values, visible },
      planned: done.joined,
      sinkLogits: done.sinkLogits,
      step: feedback.step,
    });
    if (!report) return undefined;
    this.#reports.push(quiet(report));
    return report;
  }

  /** The reports, each of which its listeners are told first. */
  announced(): Promise<AuditReport>[] {
    const { audit = {} } = this.#call.site.strategy;
    return this.#reports.map((report) => quiet(announce(report, audit)));
  }
}

/** A softmax over the cache's own logits, each entry once, which a full one can be compared with. */
function comparable({ plan, branches }: Done, defaults: Defaults): boolean {
  const whole: Branch = { keys: 'cache', selection: all };
  return !plan.gates && branches.length === 1 && readTheSame(branches[0], whole, defaults);
}

/** Failures surface at stats() or with the feedback, not as unhandled rejections. */
function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}
