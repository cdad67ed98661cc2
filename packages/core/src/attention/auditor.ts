import { type AuditOptions, type AuditReport, isSampled } from '../audit.js';
import type { AttendRequest, AttendResult, Backend } from '../backend.js';
import { pickRows } from '../entries.js';
import { all } from '../selection.js';
import { summarise } from '../statistics.js';
import type { Tensor } from '../tensor.js';
import { relativeError } from './result.js';

export interface Audited {
  /** The request of a cache branch, with all values and everything that is visible. */
  readonly request: AttendRequest;
  /** What the plan gave, sinks in the output and not in the log-sum-exp. */
  readonly planned: Pick<AttendResult, 'output' | 'logSumExp'>;
  readonly sinkLogits: Tensor | undefined;
  readonly step: number;
}

/**
 * Computes the full softmax for the sampled queries of a chunk. As both softmaxes are over the same logits, the
 * captured mass is `e^(lse_planned - lse_full)`: no other primitive than `attend` is needed.
 *
 * Queues its work at once; the promise waits for the numbers. Undefined when no query is in the sample.
 */
export function auditChunk(
  backend: Backend,
  options: AuditOptions,
  { request, planned, sinkLogits, step }: Audited,
): Promise<AuditReport> | undefined {
  const { first, counts } = request.positions;
  const picks: [row: number, token: number][] = [];
  first.forEach((position, row) => {
    for (let t = 0; t < counts[row]; t++)
      if (isSampled(options, row, position + t)) picks.push([row, t]);
  });
  if (picks.length === 0) return undefined;

  const queries = picks.map(([row, t]) => ({ row, position: first[row] + t }));
  // All of a chunk is attended to as it is: queries on their own would read the keys anew, each for itself.
  const whole = picks.length === counts.reduce((sum, count) => sum + count);
  const asked = whole ? { ...request, selection: all } : pickQueries(backend, request, picks);
  const full = backend.attend(asked);
  const joined = backend.merge([full], { sinkLogits });
  const sampled = (tensor: Tensor<'f32'>): Tensor<'f32'> => backend.gather(tensor, picks);
  const truth = [full.logSumExp, joined.output].map((tensor) => (whole ? sampled(tensor) : tensor));
  const found = [planned.logSumExp, planned.output].map(sampled);
  const reads = [...found, ...truth].map((tensor) => tensor.data());
  const used = new Set<Tensor>([...found, ...truth, full.output, full.logSumExp, full.counts]);
  for (const tensor of [joined.output, joined.logSumExp]) used.add(tensor);
  if (!whole) used.add(asked.query);

  return Promise.all(reads)
    .finally(() => used.forEach((tensor) => tensor.dispose()))
    .then((data) => compare(data, queries, step));
}

/** The same for some of the queries, each of which becomes a batch row of its own. */
function pickQueries(
  backend: Backend,
  request: AttendRequest,
  picks: readonly (readonly [row: number, token: number])[],
): AttendRequest {
  const { first } = request.positions;
  const rows = picks.map(([row]) => row);
  return {
    ...request,
    query: backend.gather(request.query, picks),
    keys: pickRows(request.keys, rows),
    values: request.values === 'keys' ? 'keys' : pickRows(request.values, rows),
    selection: all,
    positions: {
      first: picks.map(([row, t]) => first[row] + t),
      counts: rows.map(() => 1),
      tokens: 1,
    },
  };
}

/** Calls the listeners; what they throw is theirs to see at `stats()`, and no business of the strategy. */
export async function announce(
  report: Promise<AuditReport>,
  { minRecall = 0, onReport, onMiss }: AuditOptions,
): Promise<AuditReport> {
  const ready = await report;
  onReport?.(ready);
  if (ready.recall.min < minRecall) onMiss?.(ready);
  return ready;
}

function compare(
  [planned, output, full, fullOutput]: readonly Float32Array[],
  queries: AuditReport['queries'],
  step: number,
): AuditReport {
  const heads = planned.length / queries.length;
  const recalls = queries.map((_, i) =>
    Array.from({ length: heads }, (_, head) =>
      captured(planned[i * heads + head], full[i * heads + head]),
    ),
  );
  const squares = { difference: 0, full: 0 };
  fullOutput.forEach((value, i) => {
    squares.difference += (output[i] - value) ** 2;
    squares.full += value ** 2;
  });
  const outputError = relativeError(squares.difference, squares.full);
  return { step, queries, recall: summarise(recalls.flat()), recalls, outputError, squares };
}

/** Nothing visible is nothing missed; rounding may push the share past 1. */
function captured(planned: number, full: number): number {
  return full === -Infinity ? 1 : Math.min(1, Math.exp(planned - full));
}
