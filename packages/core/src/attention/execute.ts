import type { AuditReport } from '../audit.js';
import type { AttendRequest, AttendResult } from '../backend.js';
import type { Bound } from '../bound.js';
import { rowBytes } from '../dtype.js';
import type { Entries } from '../entries.js';
import { widthOf } from '../entries.js';
import {
  type Branch,
  KeptPlan,
  type Plan,
  type PlanChunk,
  planTensors,
  valuesOf,
} from '../plan.js';
import { type Positions, samePositions, slicePositions, visibleAt } from '../positions.js';
import type { Index, Step } from '../strategy.js';
import type { Tensor } from '../tensor.js';
import { announce, auditChunk } from './auditor.js';
import { assertPlan } from './check-plan.js';
import type { Feedback } from './feedback.js';
import { guarded } from './guarded.js';
import { assertNotAborted, type CallInputs } from './inputs.js';
import type { Site } from './options.js';
import { assertReplay } from './replay.js';
import { AttentionResult, type BranchCount, type Counters } from './result.js';
import { Scope } from './scope.js';

/** One call, its keys and index in place. */
export interface Execution {
  readonly site: Site;
  readonly where: string;
  readonly query: Tensor;
  readonly aux: Readonly<Record<string, Tensor>>;
  readonly keys: Entries;
  readonly values: Entries | 'keys';
  readonly visible: Bound | undefined;
  readonly positions: Positions;
  readonly index: Index;
  readonly feedback: Feedback;
  readonly inputs: Pick<CallInputs, 'plan' | 'from' | 'keepPlan' | 'signal'>;
  /** Called once everything is queued: lets go what is no longer needed, and says how many bytes are held. */
  readonly settle: () => number;
}

/** Plans and runs the queries of a call, a chunk at a time; frees what it made when it fails. */
export async function execute(call: Execution): Promise<AttentionResult> {
  const chunks = cut(call.positions, call.site.layer.queryChunk);
  if (call.inputs.plan) assertReplay(call.where, call.inputs.plan, chunks);
  const run = new Run(call, chunks.length);
  try {
    for (const [i, positions] of chunks.entries()) {
      await pause(call, i);
      await run.chunk(i, positions);
    }
    return run.finish();
  } catch (error) {
    run.abandon();
    throw error;
  }
}

/** The positions of each chunk of queries. */
export function cut(positions: Positions, queryChunk: number): Positions[] {
  const chunks: Positions[] = [];
  for (let start = 0; start < positions.tokens; start += queryChunk) {
    chunks.push(slicePositions(positions, start, Math.min(positions.tokens, start + queryChunk)));
  }
  return chunks;
}

/** Lets an abort reach us between chunks: a timer or an event needs a turn of the loop. */
async function pause({ inputs: { signal }, where }: Execution, chunk: number): Promise<void> {
  if (!signal) return;
  if (chunk > 0) await new Promise((resolve) => setTimeout(resolve, 0));
  assertNotAborted(where, signal, chunk);
}

class Run {
  readonly #call: Execution;
  readonly #single: boolean;
  readonly #kept: Tensor[] = [];
  readonly #planned: PlanChunk[] = [];
  readonly #branches: BranchCount[] = [];
  readonly #audits: Promise<AuditReport>[] = [];
  #output: Tensor<'f32'> | undefined;
  #visible = 0;
  #selectFlops = 0;
  #selectBytes = 0;

  constructor(call: Execution, chunks: number) {
    this.#call = call;
    this.#single = chunks === 1;
  }

  async chunk(i: number, positions: Positions): Promise<void> {
    const { site, inputs, where, feedback } = this.#call;
    const scope = new Scope(site.backend);
    try {
      const start = i * site.layer.queryChunk;
      const rows = (tensor: Tensor): Tensor =>
        this.#single
          ? tensor
          : scope.ops.slice(tensor, { axis: 2, start, end: start + positions.tokens });
      const query = rows(this.#call.query);
      const plan =
        inputs.plan?.chunks[i]?.plan ?? (await this.#plan(scope, query, rows, positions));
      const { keys } = this.#call;
      assertPlan(plan, { where: `${where}: ${site.strategy.name}`, site, keys, positions });
      const { joined, requests } = this.#attend(scope, plan, query, positions);
      feedback.advance(this.#ends(positions), this.#audit(scope, plan, requests, joined));
      this.#collect(scope, joined.output, start);
      this.#keep(scope, plan, positions);
      this.#visible += countVisible(this.#call, positions);
      this.#selectFlops += scope.cost.flops;
      this.#selectBytes += scope.cost.bytes;
    } finally {
      scope.close();
    }
  }

  /** Tokens of each row up to this chunk; a row may end before the chunk begins. */
  #ends({ first, counts }: Positions): number[] {
    const { lengths } = this.#call.keys;
    return first.map((start, row) => Math.min(lengths[row], start + counts[row]));
  }

  finish(): AttentionResult {
    const { site, inputs, settle } = this.#call;
    if (site.layout === 'bthd') {
      const inOrder = site.backend.permute(this.#output!, [0, 2, 1, 3]);
      this.#output!.dispose();
      this.#output = inOrder;
    }
    const counters: Counters = {
      branches: this.#branches,
      entriesVisible: this.#visible,
      selectFlops: this.#selectFlops,
      selectBytes: this.#selectBytes,
      bytesHeld: settle(),
      audits: this.#audits,
    };
    const from = inputs.plan ?? inputs.from;
    const plan = inputs.keepPlan ? new KeptPlan(this.#planned, this.#kept, from) : undefined;
    return new AttentionResult(this.#output!, plan, counters);
  }

  abandon(): void {
    this.#output?.dispose();
    for (const tensor of this.#kept) tensor.dispose();
    for (const { counts } of this.#branches) counts.dispose();
  }

  async #plan(
    scope: Scope,
    query: Tensor,
    rows: (tensor: Tensor) => Tensor,
    positions: Positions,
  ): Promise<Plan> {
    const { site, keys, values, visible, index, aux, inputs } = this.#call;
    const step: Step = {
      query,
      keys,
      values: values === 'keys' ? keys : values,
      positions,
      visible,
      index,
      aux: Object.fromEntries(Object.entries(aux).map(([name, tensor]) => [name, rows(tensor)])),
      layer: site.layer,
      ops: scope.stepOps({ positions, visible }),
      from: earlierChunk(inputs.from, positions),
      feedback: await this.#call.feedback.due(),
    };
    return guarded(site.strategy, 'plan', () => site.strategy.plan(step));
  }

  #attend(
    scope: Scope,
    plan: Plan,
    query: Tensor,
    positions: Positions,
  ): { joined: Pick<AttendResult, 'output' | 'logSumExp'>; requests: AttendRequest[] } {
    const { site } = this.#call;
    const requests = plan.branches.map((branch) => this.#request(branch, query, positions));
    const parts = requests.map((request) => {
      const part = scope.attend(request);
      scope.take(part.counts);
      this.#branches.push({ counts: part.counts, ...entryCost(request) });
      return part;
    });
    const sinkLogits =
      site.sinkLogits &&
      scope.track(site.backend.tensor(site.sinkLogits, { shape: [site.layer.heads] }));
    const plain = parts.length === 1 && !plan.gates && !sinkLogits;
    return {
      requests,
      joined: plain ? parts[0] : scope.ops.merge(parts, { gates: plan.gates, sinkLogits }),
    };
  }

  #request(branch: Branch, query: Tensor, positions: Positions): AttendRequest {
    const { keys, values, visible, site } = this.#call;
    const { layer } = site;
    const chosen = valuesOf(branch);
    return {
      query: branch.query ?? query,
      keys: branch.keys === 'cache' ? keys : branch.keys,
      values: chosen === 'cache' ? values : chosen,
      valueDim: layer.valueDim,
      selection: branch.selection,
      visible: branch.visible ?? visible,
      positions,
      scale: branch.scale ?? layer.scale,
      softcap: layer.softcap,
    };
  }

  #audit(
    scope: Scope,
    plan: Plan,
    [request]: readonly AttendRequest[],
    planned: Pick<AttendResult, 'output' | 'logSumExp'>,
  ): Promise<AuditReport> | undefined {
    const { site, feedback, values, visible } = this.#call;
    const options = site.strategy.audit;
    if (!options || !request || !comparable(plan)) return undefined;
    const sinkLogits =
      site.sinkLogits &&
      scope.track(site.backend.tensor(site.sinkLogits, { shape: [site.layer.heads] }));
    const report = auditChunk(site.backend, options, {
      request: { ...request, values, visible },
      planned,
      sinkLogits,
      step: feedback.step,
    });
    if (!report) return undefined;
    const announced = announce(report, options);
    // Failures surface at stats() or with the feedback, not as unhandled rejections.
    for (const promise of [report, announced]) promise.catch(() => undefined);
    this.#audits.push(announced);
    return report;
  }

  /** The only chunk's output is the output; otherwise it is written into its place. */
  #collect(scope: Scope, output: Tensor<'f32'>, start: number): void {
    if (this.#single) {
      scope.take(output);
      this.#output = output;
      return;
    }
    const { site, positions } = this.#call;
    const { heads, valueDim } = site.layer;
    const shape = [positions.first.length, heads, positions.tokens, valueDim];
    this.#output ??= site.backend.zeros({ shape });
    site.backend.copyInto(this.#output, output, { axis: 2, at: start });
  }

  #keep(scope: Scope, plan: Plan, positions: Positions): void {
    if (!this.#call.inputs.keepPlan) return;
    this.#planned.push({ plan, positions });
    this.#kept.push(...planTensors(plan).filter((tensor) => scope.take(tensor)));
  }
}

/** The chunk of another layer at these positions; for an earlier step's plan, its last. */
function earlierChunk(from: KeptPlan | undefined, positions: Positions): PlanChunk | undefined {
  const same = from?.chunks.find((chunk) => samePositions(chunk.positions, positions));
  return same ?? from?.chunks.at(-1);
}

/** A joint softmax over the cache's own logits, which a full one can be compared with. */
function comparable(plan: Plan): boolean {
  return (
    !plan.gates &&
    plan.branches.every(
      (branch) =>
        branch.keys === 'cache' &&
        valuesOf(branch) === 'cache' &&
        !branch.query &&
        branch.scale === undefined,
    )
  );
}

function entryCost(request: AttendRequest): { flopsPerEntry: number; bytesPerEntry: number } {
  const { keys, values, query, valueDim } = request;
  const keyWidth = widthOf(keys);
  const group = query.shape[1] / keys.storage.shape[1];
  const valueBytes = values === 'keys' ? 0 : rowBytes(values.storage.dtype, valueDim);
  return {
    flopsPerEntry: 2 * (keyWidth + valueDim) * group,
    bytesPerEntry: rowBytes(keys.storage.dtype, keyWidth) + valueBytes,
  };
}

function countVisible({ site, keys, visible }: Execution, positions: Positions): number {
  let sum = 0;
  positions.first.forEach((first, row) => {
    for (let t = 0; t < positions.counts[row]; t++)
      sum += visibleAt(visible, first + t, keys.lengths[row]);
  });
  return sum * site.layer.kvHeads;
}
