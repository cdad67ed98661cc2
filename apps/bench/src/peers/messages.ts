import type { Shape } from '../race/shape.js';

/** What a peer's process is asked, one thing at a time. */
export type Question =
  | { readonly ask: 'open'; readonly implementation: string; readonly shape: Shape }
  | { readonly ask: 'run' | 'output' };

/** `ms` of a run, the last run's `output`, or why there is none. */
export interface Answer {
  readonly ms?: number;
  readonly output?: Float32Array;
  readonly error?: string;
}
