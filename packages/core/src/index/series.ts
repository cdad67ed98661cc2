import { PagedEntries } from '../cache/paged-entries.js';
import type { Ops } from '../backend.js';
import type { DType } from '../dtype.js';
import type { Entries } from '../entries.js';
import { assertWhole } from '../check.js';
import { inputError } from '../errors.js';
import type { Appended, IndexPart, IndexSite } from '../strategy.js';
import type { Tensor } from '../tensor.js';

export interface SeriesOptions {
  /** What to keep: a `per: 'key'` auxiliary tensor, or `'keys'` or `'values'` for what `make` makes of them. */
  input: string;
  /** Stored as. Default `'f32'`. */
  dtype?: DType | undefined;
  /** A query reads the last `window` entries at most, its own included: older pages are freed as in the cache. Default: all stay. */
  window?: number | undefined;
  /** What to keep of the new rows `[batch, heads, tokens, width]`. Default: the rows. */
  make?: ((rows: Tensor, context: { ops: Ops; first: readonly number[] }) => Tensor) | undefined;
}

/**
 * An index part with an entry a token: indexer keys, a branch's own keys and values.
 * @throws {InputError} `INVALID_OPTION` unless the window is a whole number from 1
 */
export function series(site: IndexSite, options: SeriesOptions): Series {
  const { window } = options;
  if (window !== undefined) assertWhole('series', 'window', window, { min: 1 });
  return new Series(site, options);
}

export class Series implements IndexPart {
  readonly #site: IndexSite;
  readonly #options: SeriesOptions;
  readonly #floor: number[];
  #rows: PagedEntries | undefined;

  constructor(site: IndexSite, options: SeriesOptions, rows?: PagedEntries, floor?: number[]) {
    this.#site = site;
    this.#options = options;
    this.#rows = rows;
    this.#floor = floor ?? new Array<number>(site.batch).fill(0);
  }

  /** Everything kept so far. */
  get rows(): Entries {
    if (!this.#rows)
      throw inputError(`series(${this.#options.input})`, 'entries', 'none yet', {
        code: 'MISSING_INPUT',
      });
    return this.#rows;
  }

  get bytes(): number {
    return this.#rows?.bytes ?? 0;
  }

  get floor(): readonly number[] {
    return this.#floor;
  }

  append({ rows: given, before, after, ops }: Appended): void {
    const input = newRows(given, this.#options.input);
    const rows = this.#options.make?.(input, { ops, first: before }) ?? input;
    this.#rows ??= createRows(this.#site, rows, this.#options.dtype);
    this.#rows.append(
      rows,
      after.map((length, row) => length - before[row]),
    );
  }

  truncate(lengths: readonly number[]): void {
    this.#rows?.truncate(lengths);
  }

  settle(lengths: readonly number[]): void {
    const { window = Infinity } = this.#options;
    lengths.forEach((length, row) => {
      const settled = length - this.#site.layer.rollback;
      if (this.#rows?.free(row, 0, settled + 1 - window)) this.#floor[row] = settled;
    });
  }

  fork(): Series {
    return new Series(this.#site, this.#options, this.#rows?.fork(), [...this.#floor]);
  }

  dispose(): void {
    this.#rows?.dispose();
  }
}

/** An empty store for rows of this shape. */
export function createRows(site: IndexSite, rows: Tensor, dtype: DType = 'f32'): PagedEntries {
  const [batch, heads, , width] = rows.shape as [number, number, number, number];
  return PagedEntries.create(site.backend, {
    batch,
    heads,
    width,
    dtype,
    pageSize: site.layer.pageSize,
  });
}

export function newRows(rows: Readonly<Record<string, Tensor>>, name: string): Tensor {
  const tensor = rows[name];
  if (tensor) return tensor;
  throw inputError('index', `an auxiliary tensor '${name}' (per: 'key')`, Object.keys(rows), {
    code: 'MISSING_INPUT',
    hint: `declare '${name}' in the strategy's \`requires\``,
  });
}
