import type { AttentionOptions, Layer } from '@jit-attention/core';
import fc from 'fast-check';

/** The sizes of one random case: a ragged batch of contexts, and the layer that attends to them. */
export interface Problem {
  readonly seed: number;
  /** `whole`: a few whole numbers, so that many scores tie. */
  readonly numbers: 'normal' | 'whole';
  /** Tokens of each batch row. */
  readonly lengths: readonly number[];
  readonly kvHeads: number;
  /** Query heads a kv head. */
  readonly group: number;
  readonly headDim: number;
  readonly valueDim: number;
  readonly values: 'own' | 'key';
  readonly pageSize: number;
  readonly softcap: number | undefined;
  /** Whether there is a sink logit a head. */
  readonly sinkLogits: boolean;
}

/** What a strategy or a test asks of its problems. */
export interface Limits {
  /** Longest context. Default 40. */
  readonly tokens?: number | undefined;
  readonly kvHeads?: readonly number[] | undefined;
  readonly groups?: readonly number[] | undefined;
  /** Pairs of `headDim` and `valueDim`. */
  readonly widths?: readonly Widths[] | undefined;
  readonly values?: readonly ('own' | 'key')[] | undefined;
  readonly pageSizes?: readonly number[] | undefined;
}

type Widths = readonly [headDim: number, valueDim: number];

/** 16 to 576; values as wide, narrower and wider. How often each comes: one of 576 takes as long as thirty of 16. */
const WIDTHS: readonly (readonly [widths: Widths, weight: number])[] = [
  [[16, 16], 4],
  [[16, 32], 2],
  [[24, 8], 2],
  [[20, 20], 2],
  [[32, 16], 2],
  [[48, 48], 2],
  [[64, 64], 3],
  [[80, 80], 2],
  [[128, 64], 2],
  [[192, 128], 1],
  [[576, 512], 1],
];

const anyWidths = fc.oneof(
  ...WIDTHS.map(([widths, weight]) => ({ arbitrary: fc.constant(widths), weight })),
);

/** Small cases: one-token contexts, one and several kv heads, groups, batches of unequal lengths. */
export function problems(limits: Limits = {}): fc.Arbitrary<Problem> {
  const { tokens = 40, kvHeads = [1, 2, 3], groups = [1, 2, 3], widths } = limits;
  const { values = ['own', 'own', 'key'], pageSizes = [4, 1, 3, 8, 16] } = limits;
  const length = fc.oneof(
    { arbitrary: fc.integer({ min: 1, max: tokens }), weight: 5 },
    fc.constant(1),
  );
  return fc
    .record({
      seed: fc.noShrink(fc.integer()),
      numbers: fc.constantFrom('normal' as const, 'whole' as const),
      lengths: fc.array(length, { minLength: 1, maxLength: 3 }),
      kvHeads: fc.constantFrom(...kvHeads),
      group: fc.constantFrom(...groups),
      widths: widths ? fc.constantFrom(...widths) : anyWidths,
      values: fc.constantFrom(...values),
      pageSize: fc.constantFrom(...pageSizes),
      softcap: fc.constantFrom(undefined, undefined, 4),
      sinkLogits: fc.constantFrom(false, false, true),
    })
    .map(({ widths: [headDim, valueDim], ...rest }) => ({
      ...rest,
      headDim,
      valueDim: rest.values === 'key' ? Math.min(headDim, valueDim) : valueDim,
    }));
}

export const headsOf = ({ kvHeads, group }: Problem): number => kvHeads * group;
export const tokensOf = ({ lengths }: Problem): number => Math.max(...lengths);

/** What a strategy is told of a problem's layer. */
export function layerOf(problem: Problem, overrides: Partial<Layer> = {}): Layer {
  const { kvHeads, headDim, valueDim, pageSize, softcap } = problem;
  return {
    heads: headsOf(problem),
    kvHeads,
    headDim,
    valueDim,
    scale: headDim ** -0.5,
    softcap,
    pageSize,
    queryChunk: 512,
    rollback: 256,
    ...overrides,
  };
}

/** Sink logits of a problem, or none. */
export function sinkLogitsOf(problem: Problem): number[] | undefined {
  const heads = headsOf(problem);
  return problem.sinkLogits ? Array.from({ length: heads }, (_, head) => head - 1) : undefined;
}

/** The options of `createAttention` for a problem, but for backend and strategy. */
export function optionsOf(
  problem: Problem,
  layer: Layer = layerOf(problem),
): Omit<AttentionOptions, 'backend' | 'strategy'> {
  return { ...layer, values: problem.values, sinkLogits: sinkLogitsOf(problem) };
}
