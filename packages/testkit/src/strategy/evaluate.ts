import {
  type AttentionResult,
  type Bound,
  type Branch,
  type Entries,
  fromQuery,
  type Layer,
  type PlanChunk,
  type Positions,
  visibleAt,
} from '@jit-attention/core';

import { concat, cut, type HostArray, hostOf } from '../array.js';
import { assertClose } from '../compare.js';
import { maskOf } from '../oracle/mask.js';
import { gated, type Straight, straight, type StraightBranch } from '../oracle/straight.js';
import { readEntries } from '../paged.js';
import { scaleByLogits } from '../tolerances.js';

/** What a call or a chunk of it is about. */
export interface Context {
  readonly layer: Layer;
  /** The call's own, or a chunk's, `[batch, heads, tokens, headDim]`. */
  readonly query: HostArray;
  /** All that is in the cache, `[batch, kvHeads, entries, width]`. */
  readonly keys: HostArray;
  readonly values: HostArray;
  readonly lengths: readonly number[];
  readonly causal: boolean;
  readonly sinkLogits?: readonly number[] | undefined;
}

export interface Evaluated extends Straight {
  /** Over queries and kv heads, and branches. */
  readonly entriesRead: number;
}

/**
 * Holds a result with a kept plan to the straight formula: output, and the entries that were counted.
 * @throws {Error}
 */
export async function assertFollowsPlan(
  result: AttentionResult,
  tolerance: number,
  context: Context,
): Promise<void> {
  const chunks: Evaluated[] = [];
  const outputs: HostArray[] = [];
  let [token, visible] = [0, 0];
  for (const chunk of result.plan!.chunks) {
    const { positions } = chunk;
    const query = cut(context.query, 2, token, (token += positions.tokens));
    const evaluated = await evaluatePlan(chunk, { ...context, query });
    chunks.push(evaluated);
    const shape = [...query.shape.slice(0, 3), context.layer.valueDim];
    outputs.push({ shape, data: Float32Array.from(evaluated.output) });
    visible += countVisible(positions, context);
  }
  const expected = concat(outputs, 2);
  const largestLogit = Math.max(...chunks.map((chunk) => chunk.largestLogit));
  assertClose('output', await result.output.data(), expected.data, {
    tolerance: scaleByLogits(tolerance, largestLogit),
    shape: expected.shape,
  });
  const stats = await result.stats();
  const read = chunks.reduce((sum, chunk) => sum + chunk.entriesRead, 0);
  assertClose('entriesRead', [stats.entriesRead], [read], { tolerance: 0 });
  assertClose('entriesVisible', [stats.entriesVisible], [visible], { tolerance: 0 });
}

/** Over queries and kv heads. */
function countVisible({ first, counts }: Positions, { causal, lengths, layer }: Context): number {
  let sum = 0;
  first.forEach((position, row) => {
    for (let t = 0; t < counts[row]; t++)
      sum += visibleAt(causal ? fromQuery(1) : undefined, position + t, lengths[row]);
  });
  return sum * layer.kvHeads;
}

/** What the plan of a chunk of queries amounts to, by the straight formula. */
export async function evaluatePlan(
  { plan, positions }: PlanChunk,
  context: Context,
): Promise<Evaluated> {
  const branches = await Promise.all(
    plan.branches.map((branch) => straightBranch(branch, positions, context)),
  );
  const entriesRead = branches.reduce((sum, { mask }) => sum + ones(mask.data), 0);
  const { gates } = plan;
  const result = gates
    ? gated(branches, await hostOf(gates))
    : straight(branches, context.sinkLogits);
  return { ...result, entriesRead };
}

async function straightBranch(
  branch: Branch,
  positions: PlanChunk['positions'],
  context: Context,
): Promise<StraightBranch> {
  const { layer, causal } = context;
  const step: Bound | undefined = causal ? fromQuery(1) : undefined;
  const lengths = branch.keys === 'cache' ? context.lengths : branch.keys.lengths;
  const spec = { positions, kvHeads: layer.kvHeads, lengths, visible: branch.visible ?? step };
  const keys = await rowsOf(branch.keys, context.keys);
  return {
    query: branch.query ? await hostOf(branch.query) : context.query,
    keys,
    values: await valuesOf(branch, keys, context),
    valueDim: layer.valueDim,
    mask: await maskOf(branch.selection, spec),
    scale: branch.scale ?? layer.scale,
    softcap: layer.softcap,
  };
}

function valuesOf(
  { keys, values }: Branch,
  ownKeys: HostArray,
  context: Context,
): Promise<HostArray> | HostArray {
  const chosen = values ?? (keys === 'cache' ? 'cache' : 'keys');
  return chosen === 'keys' ? ownKeys : rowsOf(chosen, context.values);
}

function rowsOf(entries: 'cache' | Entries, cache: HostArray): Promise<HostArray> | HostArray {
  return entries === 'cache' ? cache : readEntries(entries);
}

const ones = (mask: Uint8Array): number => mask.reduce((sum, bit) => sum + bit, 0);
