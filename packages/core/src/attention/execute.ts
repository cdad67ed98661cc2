import type { AttendRequest, AttendResult } from '../backend.js';
import type { Bound } from '../bound.js';
import type { Entries } from '../entries.js';
import { type Defaults, melt } from '../melt.js';
import {
  type Branch,
  KeptPlan,
  type Plan,
  type PlanChunk,
  planTensors,
  valuesOf,
} from '../plan.js';
import { type Positions, slicePositions } from '../positions.js';
import type { Index } from '../strategy.js';
import type { Tensor } from '../tensor.js';
import { Audits, type Done } from './audits.js';
import { assertPlan } from './check-plan.js';
import { countVisible, entryCost } from './cost.js';
import type { Feedback } from './feedback.js';
import { assertNotAborted, type CallInputs } from './inputs.js';
import type { Site } from './options.js';
import { type Chunk, planChunk } from './planning.js';
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

/**
 * Plans and runs the queries of a call, a chunk at a time; frees what it made when it fails. A plan to repeat has
 * been checked against the call's positions.
 */
export async function execute(call: Execution): Promise<AttentionResult> {
  const chunks = cut(call.positions, call.site.layer.queryChunk);
  const { backend } = call.site;
  const run = new Run(call, chunks.length);
  try {
    for (const [i, positions] of chunks.entries()) {
      if (i > 0) backend.submit?.();
      await pause(call, i);
      await run.chunk(i, positions);
    }
    return run.finish();
  } catch (error) {
    run.abandon();
    throw error;
  } finally {
    run.close();
    backend.submit?.();
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
  readonly #sinkLogits: Tensor | undefined;
  readonly #kept: Tensor[] = [];
  readonly #planned: PlanChunk[] = [];
  readonly #branches: BranchCount[] = [];
  readonly #audits: Audits;
  #output: Tensor<'f32'> | undefined;
  #visible = 0;
  #selectFlops = 0;
  #selectBytes = 0;

  constructor(call: Execution, chunks: number) {
    const { backend, sinkLogits, layer } = call.site;
    this.#call = call;
    this.#single = chunks === 1;
    this.#sinkLogits = sinkLogits && backend.tensor(sinkLogits, { shape: [layer.heads] });
    this.#audits = new Audits(call);
  }

  async chunk(i: number, positions: Positions): Promise<void> {
    const { site, keys, inputs, where, feedback, query } = this.#call;
    const scope = new Scope(site.backend);
    try {
      const start = i * site.layer.queryChunk;
      const end = start + positions.tokens;
      const rows = (tensor: Tensor): Tensor =>
        this.#single ? tensor : scope.ops.slice(tensor, { axis: 2, start, end });
      const chunk: Chunk = { query: rows(query), positions, rows };
      const plan = inputs.plan?.chunks[i]?.plan ?? (await planChunk(this.#call, scope, chunk));
      assertPlan(plan, { where: `${where}: ${site.strategy.name}`, site, keys, positions });
      const defaults = this.#defaults(chunk);
      const done = this.#attend(scope, plan, chunk, defaults);
      feedback.advance(this.#ends(positions), this.#audits.add(done, defaults));
      this.#collect(scope, done.joined.output, start);
      this.#keep(scope, plan, positions);
      this.#visible += countVisible(this.#call, positions) * site.layer.kvHeads;
      this.#selectFlops += scope.cost.flops;
      this.#selectBytes += scope.cost.bytes;
    } finally {
      scope.close();
    }
  }

  finish(): AttentionResult {
    const { site, inputs, settle } = this.#call;
    if (site.layout === 'bthd') {
      const inOrder = site.backend.permute(this.#output!, [0, 2, 1, 3]);
      this.#output!.dispose();
      this.#output = inOrder;
    }
    const bytesHeld = settle();
    const counters: Counters = {
      branches: this.#branches,
      entriesVisible: this.#visible,
      selectFlops: this.#selectFlops,
      selectBytes: this.#selectBytes,
      bytesHeld,
      audits: this.#audits.announced(),
    };
    const from = inputs.plan ?? inputs.from;
    const plan = inputs.keepPlan ? new KeptPlan(this.#planned, this.#kept, from) : undefined;
    return new AttentionResult(this.#output!, plan, counters);
  }

  /** Frees what the result would have had. */
  abandon(): void {
    this.#output?.dispose();
    for (const tensor of this.#kept) tensor.dispose();
    for (const { counts } of this.#branches) counts.dispose();
  }

  /** Frees what only the call needs. */
  close(): void {
    this.#sinkLogits?.dispose();
  }

  #defaults({ query }: Chunk): Defaults {
    const { site, keys, values, visible } = this.#call;
    return { query, keys, values: values === 'keys' ? keys : values, visible, layer: site.layer };
  }

  /** Tokens of each row up to this chunk; a row may end before the chunk begins. */
  #ends({ first, counts }: Positions): number[] {
    const { lengths } = this.#call.keys;
    return first.map((start, row) => Math.min(lengths[row], start + counts[row]));
  }

  #attend(scope: Scope, plan: Plan, chunk: Chunk, defaults: Defaults): Done {
    const { gates } = plan;
    const sinkLogits = this.#sinkLogits;
    const branches = gates ? plan.branches : melt(plan.branches, defaults);
    const requests = branches.map((branch) => this.#request(branch, chunk));
    const parts = requests.map((request) => this.#attendTo(scope, request));
    const plain = parts.length === 1 && !gates && !sinkLogits;
    const joined = plain ? parts[0] : scope.ops.merge(parts, { gates, sinkLogits });
    return { plan, branches, requests, joined, sinkLogits };
  }

  #attendTo(scope: Scope, request: AttendRequest): AttendResult {
    const part = scope.attend(request);
    scope.take(part.counts);
    this.#branches.push({ counts: part.counts, ...entryCost(request) });
    return part;
  }

  #request(branch: Branch, { query, positions }: Chunk): AttendRequest {
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
