import type { HostArray } from '../array.js';
import type { Mask } from './mask.js';

/** One set of keys and values, and the mask of what is read of it. */
export interface StraightBranch {
  /** `[batch, heads, tokens, headDim]` */
  readonly query: HostArray;
  /** `[batch, kvHeads, entries, headDim]` */
  readonly keys: HostArray;
  /** `[batch, kvHeads, entries, valueDim or more]`: the first `valueDim` channels count. */
  readonly values: HostArray;
  readonly valueDim: number;
  readonly mask: Mask;
  readonly scale: number;
  readonly softcap?: number | undefined;
}

export interface Straight {
  /** `[batch, heads, tokens, valueDim]` */
  readonly output: Float64Array;
  /** `[batch, heads, tokens]`, of all that was read; sinks not counted. */
  readonly logSumExp: Float64Array;
  /** Largest `|logit|` of what was read, for the tolerance. */
  readonly largestLogit: number;
}

/** What one query head reads. */
interface Read {
  readonly logit: number;
  readonly value: Float32Array;
}

/**
 * Attention as the textbook has it, in f64 on the host: a mask, a softmax, a weighted sum. All branches share one
 * softmax; sink logits, one a head, only enlarge its denominator.
 */
export function straight(
  branches: readonly StraightBranch[],
  sinkLogits?: ArrayLike<number>,
): Straight {
  const [{ query, valueDim }] = branches;
  const [batch, heads, tokens] = query.shape;
  const output = new Float64Array(batch * heads * tokens * valueDim);
  const logSumExp = new Float64Array(batch * heads * tokens);
  let largestLogit = 0;
  for (let at = 0; at < logSumExp.length; at++) {
    const read = branches.flatMap((branch) => readBy(branch, at));
    for (const { logit } of read) largestLogit = Math.max(largestLogit, Math.abs(logit));
    logSumExp[at] = logSum(read.map(({ logit }) => logit));
    const sink = sinkLogits?.[Math.floor(at / tokens) % heads] ?? -Infinity;
    const total = logSum([logSumExp[at], sink]);
    for (const { logit, value } of read) {
      const weight = Math.exp(logit - total);
      for (let d = 0; d < valueDim; d++) output[at * valueDim + d] += weight * value[d];
    }
  }
  return { output, logSumExp, largestLogit };
}

/** `Σ_i gates_i · out_i`, each branch with a softmax of its own; gates `[batch, heads, tokens, branches]`. */
export function gated(branches: readonly StraightBranch[], gates: HostArray): Straight {
  const parts = branches.map((branch) => straight([branch]));
  const { valueDim } = branches[0];
  const output = parts[0].output.map((_, i) =>
    parts.reduce((sum, part, branch) => {
      const gate = gates.data[Math.floor(i / valueDim) * branches.length + branch];
      return sum + gate * part.output[i];
    }, 0),
  );
  const logSumExp = parts[0].logSumExp.map((_, i) =>
    logSum(parts.map((part) => part.logSumExp[i])),
  );
  return { output, logSumExp, largestLogit: Math.max(...parts.map((part) => part.largestLogit)) };
}

/** The logits and values that query `at` of `[batch, heads, tokens]` reads. */
function readBy(branch: StraightBranch, at: number): Read[] {
  const { query, keys, values, valueDim, mask } = branch;
  const [, heads, tokens, width] = query.shape;
  const [, kvHeads, , entries] = mask.shape;
  const [token, head] = [at % tokens, Math.floor(at / tokens) % heads];
  const row = Math.floor(at / (tokens * heads));
  const group = row * kvHeads + Math.floor(head / (heads / kvHeads));
  const read: Read[] = [];
  for (let n = 0; n < entries; n++) {
    if (!mask.data[(group * tokens + token) * entries + n]) continue;
    const logit = logitOf(branch, at * width, (group * keys.shape[2] + n) * width);
    const start = (group * values.shape[2] + n) * values.shape[3];
    read.push({ logit, value: values.data.subarray(start, start + valueDim) });
  }
  return read;
}

function logitOf({ query, keys, scale, softcap }: StraightBranch, q: number, k: number): number {
  let sum = 0;
  for (let d = 0; d < query.shape[3]; d++) sum += query.data[q + d] * keys.data[k + d];
  const logit = sum * scale;
  return softcap === undefined ? logit : softcap * Math.tanh(logit / softcap);
}

/** `log Σ e^x`; -Infinity for none. */
export function logSum(logs: readonly number[]): number {
  const largest = logs.reduce((a, b) => Math.max(a, b), -Infinity);
  if (largest === -Infinity) return -Infinity;
  return largest + Math.log(logs.reduce((sum, log) => sum + Math.exp(log - largest), 0));
}
