import type { AttentionStrategy } from '@jit-attention/core';

/** A strategy at one budget: what one row of the table measures on one layer. */
export interface Candidate {
  /** The strategy's `name`. */
  readonly strategy: string;
  /** What tells it from others of the same name: `page`, `token`, a plugin's file. */
  readonly variant?: string | undefined;
  /** Entries a query may read; undefined where there is no such limit. */
  readonly budget?: number | undefined;
  /** Makes the strategy anew; throws what its factory throws. */
  create(): AttentionStrategy;
  /** How a user gets the same. */
  readonly code: Code;
}

/** TypeScript to paste. */
export interface Code {
  readonly imports: Import;
  /** An expression of type `AttentionStrategy`. */
  readonly expression: string;
}

export interface Import {
  readonly name: string;
  readonly from: string;
  /** Whether it is the module's default export. */
  readonly isDefault?: boolean | undefined;
}

/** `topk page`: the strategy and its variant, all budgets. */
export function seriesOf({ strategy, variant }: Candidate): string {
  return variant === undefined ? strategy : `${strategy} ${variant}`;
}

/** `topk page 512`: this row and no other. */
export function labelOf(candidate: Candidate): string {
  const { budget } = candidate;
  return budget === undefined ? seriesOf(candidate) : `${seriesOf(candidate)} ${budget}`;
}
