import type { PagedEntries } from '../cache/paged-entries.js';
import type { Ops, PoolPart, PoolRequest } from '../backend.js';
import type { DType } from '../dtype.js';
import type { Entries } from '../entries.js';
import { assertWhole } from '../check.js';
import { inputError } from '../errors.js';
import type { Appended, IndexPart, IndexSite } from '../strategy.js';
import type { Tensor } from '../tensor.js';
import { newRows, createRows } from './series.js';

export interface GroupsOptions {
  /** Raw rows: `'keys'` and `'values'` are the cache's own, other names auxiliary tensors (`per: 'key'`). */
  inputs: readonly string[];
  /** Group i is made of tokens `[stride·i - overlap, stride·i + length)`. */
  stride: number;
  /** Default `stride`. */
  length?: number | undefined;
  /** Tokens before `stride·i` that belong to group i as well. Default 0. */
  overlap?: number | undefined;
  /**
   * Whether the last group exists as soon as it has one token, and is made anew with every further one. Default
   * false: a group exists once it is complete, as in a compressor that carries a partial group between calls.
   */
  partial?: boolean | undefined;
  /** Stored as. Default `'f32'`. */
  dtype?: DType | undefined;
  /** Turns groups `first[b] … first[b] + count - 1` into `[batch, heads, count, width]`. */
  make(context: MakeGroups): Tensor;
}

export interface MakeGroups {
  readonly ops: Ops;
  readonly inputs: Readonly<Record<string, Entries>>;
  readonly first: readonly number[];
  readonly count: number;
  /** `ops.pool` of these groups; of the first input over the group's own tokens, unless told other parts. */
  readonly pool: (kind: PoolRequest['kind'], parts?: readonly PoolPart[]) => Tensor<'f32'>;
}

/**
 * An index part that makes one entry of every group of tokens: page bounds, compressed keys.
 *
 * It keeps as many raw rows as it needs for the groups to come and for going back `rollback` tokens.
 *
 * @throws {InputError} `INVALID_OPTION` unless stride and length are whole numbers from 1, and overlap from 0
 */
export function groups(site: IndexSite, options: GroupsOptions): Groups {
  const { stride, length = stride, overlap = 0 } = options;
  assertWhole('groups', 'stride', stride, { min: 1 });
  assertWhole('groups', 'length', length, { min: 1 });
  assertWhole('groups', 'overlap', overlap, { min: 0 });
  return new Groups(site, options, new Map(), undefined, new Array<number>(site.batch).fill(0));
}

export class Groups implements IndexPart {
  readonly #site: IndexSite;
  readonly #options: GroupsOptions;
  readonly #raw: Map<string, PagedEntries>;
  #rows: PagedEntries | undefined;
  #floor: number[];

  constructor(
    site: IndexSite,
    options: GroupsOptions,
    raw: Map<string, PagedEntries>,
    rows: PagedEntries | undefined,
    floor: number[],
  ) {
    this.#site = site;
    this.#options = options;
    this.#raw = raw;
    this.#rows = rows;
    this.#floor = floor;
  }

  /** The entries made so far, one a group. */
  get rows(): Entries {
    if (!this.#rows) throw inputError('groups', 'entries', 'none yet', { code: 'MISSING_INPUT' });
    return this.#rows;
  }

  get bytes(): number {
    return [...this.#raw.values()].reduce((sum, raw) => sum + raw.bytes, this.#rows?.bytes ?? 0);
  }

  get floor(): readonly number[] {
    return this.#floor;
  }

  append(appended: Appended): void {
    const { ops, before, after } = appended;
    const inputs = this.#takeRaw(appended);
    const first = before.map((length) => this.#complete(length));
    const counts = after.map((length, row) => this.#made(length) - first[row]);
    // The first call fixes heads and width, even when no group is complete yet.
    const count = this.#rows ? Math.max(...counts) : Math.max(1, ...counts);
    if (count === 0) return;
    const { stride, length = stride, overlap = 0 } = this.#options;
    const values = inputs[this.#options.inputs[0]];
    const own: PoolPart = { values, start: -overlap, length: overlap + length };
    const rows = this.#options.make({
      ops,
      inputs,
      first,
      count,
      pool: (kind, parts = [own]) => ops.pool({ kind, parts, stride, first, count }),
    });
    this.#rows ??= createRows(this.#site, rows, this.#options.dtype);
    this.#rows.write(rows, first, counts);
  }

  truncate(lengths: readonly number[]): void {
    for (const raw of this.#raw.values()) raw.truncate(lengths);
    this.#rows?.truncate(lengths.map((length) => this.#made(length)));
  }

  settle(lengths: readonly number[]): void {
    const { stride, overlap = 0 } = this.#options;
    lengths.forEach((length, row) => {
      const settled = length - this.#site.layer.rollback;
      if (settled <= 0) return;
      const needed = stride * this.#complete(settled) - overlap;
      const freed = [...this.#raw.values()].map((raw) => raw.free(row, 0, needed));
      if (freed.includes(true)) this.#floor[row] = settled;
    });
  }

  fork(): Groups {
    const raw = new Map([...this.#raw].map(([name, entries]) => [name, entries.fork()]));
    return new Groups(this.#site, this.#options, raw, this.#rows?.fork(), [...this.#floor]);
  }

  dispose(): void {
    for (const raw of this.#raw.values()) raw.dispose();
    this.#rows?.dispose();
  }

  #takeRaw({ keys, values, rows: given, before, after }: Appended): Record<string, Entries> {
    const counts = after.map((length, row) => length - before[row]);
    const inputs: Record<string, Entries> = {};
    for (const name of this.#options.inputs) {
      if (name === 'keys' || name === 'values') {
        inputs[name] = name === 'keys' ? keys : values;
        continue;
      }
      const rows = newRows(given, name);
      const raw = this.#raw.get(name) ?? createRows(this.#site, rows);
      this.#raw.set(name, raw);
      raw.append(rows, counts);
      inputs[name] = raw;
    }
    return inputs;
  }

  /** Groups that exist with this many tokens. */
  #made(tokens: number): number {
    const { stride, partial } = this.#options;
    return partial ? Math.ceil(tokens / stride) : this.#complete(tokens);
  }

  /** Groups that no further token belongs to. */
  #complete(tokens: number): number {
    const { stride, length = stride } = this.#options;
    return tokens < length ? 0 : Math.floor((tokens - length) / stride) + 1;
  }
}
