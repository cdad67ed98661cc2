import type { Inputs, Matrix } from './inputs.js';
import { matrix } from './inputs.js';
import type { Problem } from './problem.js';
import { clearRound, dot, span, sum } from './straight.js';

/** `x / sqrt(mean(x²) + eps) * weight` */
export function rmsNorm(x: readonly number[], weight: readonly number[], eps: number): number[] {
  const root = Math.sqrt(dot(x, x) / x.length + eps);
  return x.map((value, d) => (value / root) * weight[d]);
}

/** Rotates the trailing pairs (2i, 2i + 1) by `position * frequencies[i]`. */
export function ropeTrailing(
  x: readonly number[],
  position: number,
  frequencies: readonly number[],
): number[] {
  const out = [...x];
  frequencies.forEach((frequency, i) => {
    const a = x.length - 2 * frequencies.length + 2 * i;
    const [cos, sin] = [Math.cos(position * frequency), Math.sin(position * frequency)];
    out[a] = x[a] * cos - x[a + 1] * sin;
    out[a + 1] = x[a] * sin + x[a + 1] * cos;
  });
  return out;
}

export interface Compression {
  values: Matrix;
  /** Absent: the mean. */
  gates?: Matrix | undefined;
  ratio: number;
  width: number;
  overlapping: boolean;
}

/** One pooled row for every full group, before norm and rope. */
export function pooledGroups({
  values,
  gates,
  ratio,
  width,
  overlapping,
}: Compression): number[][] {
  return span(0, Math.floor(values.length / ratio)).map((group) =>
    span(0, width).map((channel) => {
      const own = overlapping ? width + channel : channel;
      const cells = span(ratio * group, ratio * (group + 1)).map((token) => [token, own]);
      if (overlapping)
        for (const token of span(Math.max(0, ratio * (group - 1)), ratio * group))
          cells.push([token, channel]);
      const weights = cells.map(([token, at]) => (gates ? Math.exp(gates[token][at]) : 1));
      const total = sum(weights);
      return sum(cells.map(([token, at], i) => (weights[i] / total) * values[token][at]));
    }),
  );
}

/** RMSNorm, and rope at the group's first token. */
export function finishedGroups(
  pooled: Matrix,
  { ratio, norm, eps, frequencies }: Finish,
): number[][] {
  const normed = pooled.map((row) => rmsNorm(row, norm, eps));
  return ropeGroups(normed, ratio, frequencies);
}

export function ropeGroups(
  rows: Matrix,
  ratio: number,
  frequencies: readonly number[],
): number[][] {
  return rows.map((row, group) => ropeTrailing(row, ratio * group, frequencies));
}

export interface Finish {
  ratio: number;
  norm: readonly number[];
  eps: number;
  frequencies: readonly number[];
}

/** The Sylvester matrix: entry (i, j) is negative where i and j share an odd number of bits. */
export function hadamard(x: readonly number[]): number[] {
  const bits = (n: number): number => (n === 0 ? 0 : (n & 1) + bits(n >>> 1));
  const row = (i: number): number[] => x.map((_, j) => (-1) ** bits(i & j) * x.length ** -0.5);
  return x.map((_, i) => dot(row(i), x));
}

/** Symmetric codes, decoded. */
export function int8(x: readonly number[]): number[] {
  const scale = Math.max(...x.map(Math.abs)) / 127;
  return x.map((value) => clearRound(value / scale) * scale);
}

/** `I(t, s) = Σ_j w_j ReLU(Di^-0.5 q_j · k_s)` for the query at `position`. */
export function indexerScore(
  queries: readonly (readonly number[])[],
  weights: readonly number[],
  key: readonly number[],
): number {
  return sum(
    queries.map((query, j) => weights[j] * Math.max(0, key.length ** -0.5 * dot(query, key))),
  );
}

/** Index queries `[head][channel]` and weights `[head]` of one query. */
export function indexerAt(
  { aux: { indexerQuery, indexerWeights } }: Inputs,
  problem: Problem,
  row: number,
  position: number,
): { queries: (readonly number[])[]; weights: number[] } {
  const heads = span(0, indexerQuery.heads);
  return {
    queries: heads.map((head) => matrix(indexerQuery, problem, row, head)[position]),
    weights: heads.map((head) => matrix(indexerWeights, problem, row, head)[position][0]),
  };
}

/** One softmax over these rows and a sink logit; each value is the first `width` channels of its key. */
export function attendBesideSink(
  query: readonly number[],
  rows: Matrix,
  { scale, sink, width }: { scale: number; sink: number; width: number },
): number[] {
  const weights = rows.map((row) => Math.exp(scale * dot(query, row)));
  const total = Math.exp(sink) + sum(weights);
  return span(0, width).map((channel) =>
    sum(rows.map((row, i) => (weights[i] / total) * row[channel])),
  );
}
