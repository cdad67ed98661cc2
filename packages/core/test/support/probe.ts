import {
  type AttentionStrategy,
  type Backend,
  createAttention,
  type Index,
  type IndexPart,
  type IndexSite,
  ranges,
  type Sequence,
} from '@jit-attention/core';

/** Width of the auxiliary rows `raw`; their two channels hold a number and its negative. */
export const RAW_WIDTH = 2;

const LAYER = { heads: 1, headDim: 2, pageSize: 4 };

/** Sequences of a strategy that reads nothing and has one index part, so that the part can be watched. */
export class Probe<P extends IndexPart> {
  readonly #attention;
  #index: Index = {};

  constructor(backend: Backend, part: (site: IndexSite) => P, rollback: number) {
    const strategy: AttentionStrategy = {
      name: 'probe',
      apiVersion: 1,
      supports: { exact: true, sync: true, bidirectional: false },
      requires: { raw: { per: 'key', heads: 1, width: RAW_WIDTH } },
      index: (site) => ({ part: part(site) }),
      plan: ({ index }) => {
        this.#index = index;
        return { branches: [{ keys: 'cache', selection: ranges() }] };
      },
    };
    this.#attention = createAttention({ ...LAYER, backend, strategy, rollback });
  }

  sequence(batch: number): Sequence {
    return this.#attention.sequence({ batch });
  }

  /** Appends these numbers to each row as `raw`, `[n, -n]`, and as keys; gives the sequence's index part. */
  async append(sequence: Sequence, numbers: readonly (readonly number[])[]): Promise<P> {
    const lengths = numbers.map((row) => row.length);
    const tokens = Math.max(...lengths);
    const rows = numbers.flatMap((row) =>
      Array.from({ length: tokens }, (_, i) => [row[i] ?? NaN, -(row[i] ?? NaN)]).flat(),
    );
    const raw = Float32Array.from(rows);
    const result = await sequence.attend({
      query: raw,
      key: raw,
      value: raw,
      aux: { raw },
      lengths,
    });
    result.dispose();
    return this.#index.part as P;
  }
}
