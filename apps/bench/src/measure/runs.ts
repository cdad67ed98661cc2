/** Consecutive queries that are measured together: those at positions `[start, start + count)`. */
export interface Run {
  readonly start: number;
  readonly count: number;
}

/**
 * Which queries of a context are measured: `runs` runs of `length` consecutive ones, one drawn from each equal part
 * of the context, so that short and long pasts are seen alike; the last is the end of the context. A context that
 * is no longer than all runs is measured whole.
 */
export function drawRuns(
  tokens: number,
  { runs, length }: { runs: number; length: number },
  seed: number,
): Run[] {
  if (tokens <= runs * length) return [{ start: 0, count: tokens }];
  const slots = Math.floor(tokens / length);
  const random = mulberry32(seed);
  return Array.from({ length: runs }, (_, run) => {
    const first = Math.floor((run * slots) / runs);
    const end = Math.floor(((run + 1) * slots) / runs);
    const slot = run === runs - 1 ? end - 1 : first + Math.floor(random() * (end - first));
    return { start: slot * length, count: length };
  });
}

/** Queries of a stretch of {@link allRuns}: those that core plans and runs at a time. */
export const STRETCH = 512;

/** All queries of a context, in stretches: measured one after the other they are a prefill. */
export function allRuns(tokens: number): Run[] {
  return Array.from({ length: Math.ceil(tokens / STRETCH) }, (_, i) => ({
    start: i * STRETCH,
    count: Math.min(STRETCH, tokens - i * STRETCH),
  }));
}

/** The last stretches of {@link allRuns}, where pasts are longest. */
export function lastRuns(tokens: number, stretches: number): Run[] {
  return allRuns(tokens).slice(-stretches);
}

export function queriesIn(runs: readonly Run[]): number {
  return runs.reduce((sum, { count }) => sum + count, 0);
}

/** Numbers in [0, 1) that repeat with the seed (Tommy Ettinger's mulberry32). */
export function mulberry32(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
