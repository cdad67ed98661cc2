import {
  audit,
  type AuditReport,
  type AttentionStrategy,
  quantile,
  type Stats,
} from '@jit-attention/core';
import { mean, sum } from 'simple-statistics';

import type { Device } from '../backends.js';
import type { Run } from './runs.js';
import { type LayerInput, Walk } from './walk.js';

/** What a strategy read and what it missed, over all runs of a layer. */
export interface Quality {
  readonly density: number;
  readonly flops: number;
  readonly bytesRead: number;
  /** Share of the true attention mass that was read, over queries and heads. */
  readonly recall: Recall | undefined;
  /** `‖o - o_dense‖ / ‖o_dense‖` */
  readonly outputError: number;
  /** Of each run, `[heads, count, valueDim]`. */
  readonly outputs: readonly Float32Array[];
}

export interface Recall {
  readonly mean: number;
  readonly p5: number;
}

/**
 * Runs a strategy once with every query audited, and checks the numbers it gives. A pass of its own: auditing
 * computes the full softmax, which no timing should contain.
 *
 * There is no recall where something else than the model's own logits is attended to: compressed entries (such a
 * strategy is not `exact`), gated branches, another scale.
 *
 * @param dense outputs of dense attention; undefined when this is it
 * @throws when an output is not finite, or differs from dense although everything was read
 */
export async function assess(
  device: Device,
  strategy: AttentionStrategy,
  input: LayerInput,
  runs: readonly Run[],
  dense?: readonly Float32Array[],
): Promise<Quality> {
  const reports: AuditReport[] = [];
  const onReport = (report: AuditReport): number => reports.push(report);
  const { exact } = strategy.supports;
  const audited = exact ? audit(strategy, { sample: 1, onReport }) : strategy;
  const { outputs, stats } = await walkRuns(new Walk(device.backend, audited, input), runs);
  assertFinite(strategy, outputs);
  const quality = {
    ...readOf(stats),
    recall: recallOf(reports),
    outputError: relativeError(outputs, dense ?? outputs),
    outputs,
  };
  if (exact) assertDense(quality, strategy, device);
  return quality;
}

async function walkRuns(
  walk: Walk,
  runs: readonly Run[],
): Promise<{ outputs: Float32Array[]; stats: Stats[] }> {
  const outputs: Float32Array[] = [];
  const stats: Stats[] = [];
  try {
    for (const run of runs) {
      const result = await walk.attend(run);
      outputs.push(await result.output.data());
      stats.push(await result.stats());
      result.dispose();
    }
  } finally {
    walk.dispose();
  }
  return { outputs, stats };
}

function readOf(stats: readonly Stats[]): Pick<Quality, 'density' | 'flops' | 'bytesRead'> {
  const total = (of: (stats: Stats) => number): number => sum(stats.map(of));
  return {
    density: total((one) => one.entriesRead) / total((one) => one.entriesVisible),
    flops: total((one) => one.flops),
    bytesRead: total((one) => one.bytesRead),
  };
}

function recallOf(reports: readonly AuditReport[]): Recall | undefined {
  const recalls = reports.flatMap((report) => report.recalls.flat()).sort((a, b) => a - b);
  if (recalls.length === 0) return undefined;
  return { mean: mean(recalls), p5: quantile(recalls, 0.05) };
}

/** Of two lists of arrays, in the Frobenius norm. */
export function relativeError(
  actual: readonly Float32Array[],
  expected: readonly Float32Array[],
): number {
  let difference = 0;
  let size = 0;
  expected.forEach((array, i) =>
    array.forEach((value, j) => {
      difference += (actual[i][j] - value) ** 2;
      size += value ** 2;
    }),
  );
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

function assertFinite({ name }: AttentionStrategy, outputs: readonly Float32Array[]): void {
  const wrong = outputs.flatMap((output) => output.find((value) => !Number.isFinite(value)) ?? []);
  if (wrong.length > 0) throw new Error(`${name}: expected finite outputs, got ${wrong[0]}`);
}

/** Who has read everything must have got what dense attention gets. */
function assertDense(
  { density, outputError }: Quality,
  { name }: AttentionStrategy,
  { entry, name: backend }: Device,
): void {
  if (density < 1 || outputError <= entry.tolerance) return;
  throw new Error(
    `${name} on ${backend}: expected the output of dense attention within ${entry.tolerance}, as everything was read, ` +
      `got one that differs by ${outputError.toExponential(1)}`,
  );
}
