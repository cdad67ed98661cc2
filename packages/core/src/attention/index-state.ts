import type { Appended, AttentionStrategy, Index, IndexSite } from '../strategy.js';
import { CacheError } from '../errors.js';
import { guarded, strategyFailure } from './guarded.js';
import { Scope } from './scope.js';

/** The parts of a strategy's index, moved together. */
export class IndexState {
  readonly parts: Index;
  readonly #site: IndexSite;
  readonly #strategy: AttentionStrategy;

  constructor(strategy: AttentionStrategy, site: IndexSite, parts?: Index) {
    this.#strategy = strategy;
    this.#site = site;
    this.parts = parts ?? create(strategy, site);
  }

  get bytes(): number {
    return this.#all.reduce((sum, part) => sum + (part.bytes ?? 0), 0);
  }

  async append(appended: Omit<Appended, 'ops'>): Promise<void> {
    const scope = new Scope(this.#site.backend);
    try {
      await guarded(this.#strategy, 'index.append', async () => {
        for (const part of this.#all) await part.append({ ...appended, ops: scope.ops });
      });
    } finally {
      scope.close();
    }
  }

  /** @throws {CacheError} `ROLLBACK_EXCEEDED` when a part, or one of the `others`, cannot go back to `lengths`; nothing is changed */
  assertFloor(
    lengths: readonly number[],
    current: readonly number[],
    others: readonly (readonly number[])[],
  ): void {
    const floors = [...others, ...this.#all.map((part) => part.floor ?? [])];
    lengths.forEach((length, row) => {
      const floor = Math.max(0, ...floors.map((floor) => floor[row] ?? 0));
      if (length >= Math.min(floor, current[row])) return;
      throw new CacheError(`truncate: expected a length of at least ${floor}, got ${length}`, {
        code: 'ROLLBACK_EXCEEDED',
        expected: floor,
        actual: length,
        hint: `${this.#strategy.name} lets old entries go; give createAttention a larger rollback (now ${this.#site.layer.rollback})`,
      });
    });
  }

  truncate(lengths: readonly number[]): void {
    for (const part of this.#all) part.truncate?.(lengths);
  }

  settle(lengths: readonly number[]): void {
    for (const part of this.#all) part.settle?.(lengths);
  }

  fork(): IndexState {
    const parts = Object.fromEntries(
      Object.entries(this.parts).map(([name, part]) => [name, part.fork()]),
    );
    return new IndexState(this.#strategy, this.#site, parts);
  }

  dispose(): void {
    for (const part of this.#all) part.dispose?.();
  }

  get #all(): Index[string][] {
    return Object.values(this.parts);
  }
}

function create(strategy: AttentionStrategy, site: IndexSite): Index {
  try {
    return strategy.index?.(site) ?? {};
  } catch (cause) {
    throw strategyFailure(strategy, 'index', cause);
  }
}
