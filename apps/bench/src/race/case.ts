import type { ResultRow } from '../output/results.js';
import type { Contender } from './contender.js';

/** Implementations that are timed side by side, and what that is to show. */
export interface Case {
  /** For `--only`. */
  readonly name: string;
  readonly title: string;
  readonly contenders: readonly Contender[];
  /** From the rows of this case. */
  figures(rows: Rows): Figure[];
}

/** Where the kernels run that are timed. */
export type BenchBackend = 'cpu' | 'webgpu';

/** Makes a case with contexts that many times shorter. */
export type MakeCase = (scale: number) => Case;

/** A group of cases at full size; `scale` makes contexts that many times shorter. */
export interface Suite {
  readonly name: 'kernels' | 'peers' | 'model';
  /** For the command's help. */
  readonly description: string;
  /** Of what it measures; the first is the default. */
  readonly backends: readonly BenchBackend[];
  readonly cases: (scale: number, backend: BenchBackend) => Case[];
}

/** A number with a target. */
export interface Figure {
  readonly what: string;
  /** Undefined where a row that it needs has failed. */
  readonly value: number | undefined;
  readonly unit: 'share' | 'factor' | 'ms' | 'µs' | 'number' | 'count' | 'difference';
  readonly atLeast?: number | undefined;
  readonly atMost?: number | undefined;
}

/** Undefined where nothing was measured, or nothing is asked. */
export function isMet({ value, atLeast, atMost }: Figure): boolean | undefined {
  if (value === undefined || (atLeast === undefined && atMost === undefined)) return undefined;
  return value >= (atLeast ?? -Infinity) && value <= (atMost ?? Infinity);
}

/** The rows of a case, to make figures from. */
export class Rows {
  readonly #rows: readonly ResultRow[];

  constructor(rows: readonly ResultRow[]) {
    this.#rows = rows;
  }

  /** Of the row that has these facts; undefined where it failed. */
  ms(facts: Partial<ResultRow>): number | undefined {
    return this.#find(facts)?.metrics.ms ?? undefined;
  }

  gflops(facts: Partial<ResultRow>): number | undefined {
    return this.#find(facts)?.metrics.gflops ?? undefined;
  }

  find(facts: Partial<ResultRow>): ResultRow | undefined {
    return this.#find(facts);
  }

  #find(facts: Partial<ResultRow>): ResultRow | undefined {
    const wanted = Object.entries(facts) as [keyof ResultRow, unknown][];
    return this.#rows.find((row) => wanted.every(([name, value]) => row[name] === value));
  }
}

/** Undefined where one is. */
export function ratio(a: number | undefined, b: number | undefined): number | undefined {
  return a === undefined || b === undefined ? undefined : a / b;
}
