import type { Scoring } from './tile.js';

export interface Product {
  /** WGSL in front of each step. */
  readonly step: string;
  /** WGSL of what four channels of a row, `q`, add to the sums of the thread's four entries. */
  readonly term: string;
  /** WGSL of four channels of the row that begins at `row`: a function of `(row: u32, d: u32)`. */
  readonly read?: string;
}

/**
 * WGSL that adds to `sum0: vec4f`, `sum1` and so on what each row of a thread comes to with its four entries.
 *
 * The four lanes of a quad have the same rows: each reads one of four and hands it to the others. Where a load costs
 * as much as a dozen products that is three times as fast (SwiftShader, 2,048 × 1,024 × 64: 3.8 GFLOP/s, without 1.2).
 */
export function product(
  scoring: Scoring,
  { step, term, read = 'query_channels' }: Product,
): string {
  const { rows } = scoring;
  const shared = isShared(scoring);
  const own = shared ? range(rows / 4) : [];
  const channels = (r: number): string =>
    shared ? `quadBroadcast(own${r >> 2}, ${r % 4}u)` : `${read}(query_rows[${r}], d)`;
  const lines = [
    step,
    ...own.map((i) => `let own${i} = ${read}(query_rows[${i}], d);`),
    ...range(rows).map((r) => `{ let q = ${channels(r)}; sum${r} += ${term}; }`),
  ];
  return `@diagnostic(off, subgroup_uniformity)
  for (var d = 0u; d < width(); d += 4u) {
    ${lines.join('\n    ')}
  }`;
}

/** WGSL of the rows that a thread reads: each as `place(i)`, of a row `i` of the thread. */
export function queryRows(scoring: Scoring, place: (i: string) => string): string {
  const { rows } = scoring;
  const read = isShared(scoring)
    ? range(rows / 4).map((i) => `${4 * i} + i32(lane % 4)`)
    : range(rows).map(String);
  return `let query_rows = array<u32, ${read.length}>(${read.map(place).join(', ')});`;
}

export function zeroSums({ rows }: Scoring): string {
  return range(rows)
    .map((r) => `var sum${r} = vec4f();`)
    .join(' ');
}

/** WGSL of channels `d` to d + 3 of the four rows that begin at `at: vec4u`, by a function of `(row: u32, d: u32)`. */
export function fourRows(at: string, read: string): string {
  return `mat4x4f(${['x', 'y', 'z', 'w'].map((i) => `${read}(${at}.${i}, d)`).join(', ')})`;
}

const isShared = ({ rows, quads }: Scoring): boolean => quads && rows % 4 === 0;

export const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
