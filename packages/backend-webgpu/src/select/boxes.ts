/** A half-open run. */
export interface Run {
  readonly first: number;
  readonly count: number;
}

/** A part of a grid: a run along each axis. */
export type Box = readonly Run[];

/**
 * Cuts a grid into boxes of at most `room` cells each (but at least one), in order: inner axes are whole before an
 * outer one has more than one.
 */
export function boxesOf(grid: readonly number[], room: number): Box[] {
  const [length, ...inner] = grid;
  if (length === undefined) return [[]];
  const cells = inner.reduce((product, size) => product * size, 1);
  const step = Math.max(1, Math.floor(room / Math.max(1, cells)));
  const parts = boxesOf(inner, room);
  return runs(length, step).flatMap((run) => parts.map((part) => [run, ...part]));
}

function runs(length: number, step: number): Run[] {
  const cut: Run[] = [];
  for (let first = 0; first < length; first += step)
    cut.push({ first, count: Math.min(step, length - first) });
  return cut;
}
