import fc from 'fast-check';

/** The sizes of one random case: a ragged batch of contexts, and the layer that attends to them. */
export interface Problem {
  readonly seed: number;
  /** Tokens of each batch row. */
  readonly lengths: readonly number[];
  readonly kvHeads: number;
  /** Query heads a kv head. */
  readonly group: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly pageSize: number;
  readonly queryChunk: number;
  readonly rollback: number;
}

export interface Limits {
  readonly tokens?: number | undefined;
  readonly batch?: number | undefined;
  readonly kvHeads?: number | undefined;
  readonly group?: number | undefined;
}

/** Small cases, one-token contexts and batches of unequal lengths among them. */
export function problems(limits: Limits = {}): fc.Arbitrary<Problem> {
  const { tokens = 40, batch = 3, kvHeads = 2, group = 3 } = limits;
  const from1 = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });
  return fc.record({
    seed: fc.integer(),
    lengths: fc.array(fc.oneof(from1(tokens), fc.constant(1)), { minLength: 1, maxLength: batch }),
    kvHeads: from1(kvHeads),
    group: from1(group),
    headDim: from1(6),
    valueDim: from1(6),
    pageSize: from1(7),
    queryChunk: from1(9),
    rollback: fc.integer({ min: 3, max: 12 }),
  });
}

export const headsOf = ({ kvHeads, group }: Problem): number => kvHeads * group;
export const tokensOf = ({ lengths }: Problem): number => Math.max(...lengths);

type LayerOption = 'heads' | Exclude<keyof Problem, 'seed' | 'lengths' | 'group'>;

/** The problem's layer, as options of `createAttention`. */
export const layerOf = (problem: Problem): Record<LayerOption, number> => {
  const { kvHeads, headDim, valueDim, pageSize, queryChunk, rollback } = problem;
  return { heads: headsOf(problem), kvHeads, headDim, valueDim, pageSize, queryChunk, rollback };
};

/** One query of a case, and the kv head that it reads. */
export interface Place {
  readonly row: number;
  readonly head: number;
  readonly kvHead: number;
  readonly position: number;
}

/** Every query that is not padding. */
export function placesOf(problem: Problem): Place[] {
  const places: Place[] = [];
  problem.lengths.forEach((length, row) => {
    for (let head = 0; head < headsOf(problem); head++)
      for (let position = 0; position < length; position++)
        places.push({ row, head, kvHead: Math.floor(head / problem.group), position });
  });
  return places;
}
