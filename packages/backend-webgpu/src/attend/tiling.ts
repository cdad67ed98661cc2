import type { Gpu } from '../gpu.js';

/**
 * How a block of rows lies over the threads of a workgroup. A *row* is a query of one of the heads that share a kv head.
 * Threads are in teams. The threads of a team have the same rows, and entries and channels of their own: in a step
 * each comes to the logits of its rows with its entries, then to what its channels get from all entries of the team.
 */
export interface Tiling {
  /** Rows of a thread: 1, 2, 4 or 8. */
  readonly rows: number;
  /** Threads of a team, a power of two from 4. */
  readonly team: number;
  /** Teams of a workgroup, a power of two. */
  readonly teams: number;
  /** Vectors of four channels of values that a thread sums up: a power of two. */
  readonly slots: number;
  /** Threads of a team that have the same channels, and share the entries between them: a power of two. */
  readonly sharers: number;
  /** Whether the threads of a team hand each other numbers within a subgroup; else through workgroup memory. */
  readonly subgroups: boolean;
  /** Whether a thread of four reads a row for the others, which pays where threads are few to a load. */
  readonly handsRows: boolean;
}

/** Entries of a thread in a step. */
export const ENTRIES = 4;

/**
 * @param rows that there are to share entries
 * @param valueDim channels of values
 */
export function tilingFor(gpu: Gpu, rows: number, valueDim: number): Tiling {
  const vectors = Math.max(4, powerAbove(valueDim / 4));
  const { mostRows, fewestSlots, mostSlots } = room(gpu, rows, vectors);
  const narrow = Math.max(4, vectors / mostSlots);
  // With few rows it is entries that keep threads busy.
  const team = isSoftware(gpu) || rows > mostRows ? narrow : Math.max(32, narrow);
  const own = rows === 1 ? 1 : mostRows;
  const subgroups = gpu.features.has('subgroups') && team <= gpu.subgroup[0];
  return {
    rows: own,
    team,
    teams: rows <= own ? 1 : Math.max(1, teamsFor(rows / own) / (team / 4)),
    slots: Math.max(fewestSlots, vectors / team),
    sharers: Math.max(1, team / vectors),
    subgroups,
    handsRows: subgroups && isSoftware(gpu) && own >= 4,
  };
}

/** Of four threads each; a few numbers only, as each makes a kernel of its own. */
const teamsFor = (wanted: number): number => (wanted >= 8 ? 16 : 4);

/**
 * What a thread has registers for. A software adapter keeps them in cache, and its loads are what costs: there a large
 * tile is the fastest (SwiftShader, 64 channels, GFLOP/s: 8 rows 3.2, 4 rows 2.3), and takes the longest to compile.
 */
function room(
  gpu: Gpu,
  rows: number,
  vectors: number,
): { mostRows: number; fewestSlots: number; mostSlots: number } {
  if (!isSoftware(gpu)) return { mostRows: 4, fewestSlots: 1, mostSlots: 4 };
  const [mostRows, mostSlots] = vectors <= 16 ? [rows >= 32 ? 8 : 4, 4] : [4, 8];
  return { mostRows, fewestSlots: 4, mostSlots };
}

/** A processor that plays GPU runs four threads in step; no GPU has as few. */
export const isSoftware = ({ subgroup }: Pick<Gpu, 'subgroup'>): boolean => subgroup[1] <= 4;

/** The least power of two that is as large. */
export function powerAbove(x: number): number {
  return 2 ** Math.max(0, Math.ceil(Math.log2(x)));
}
