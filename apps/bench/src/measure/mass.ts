import { audit } from '@jit-attention/core';
import { mean } from 'simple-statistics';

import type { Device } from '../backends.js';
import type { Candidate } from '../candidates/candidate.js';
import { type LayerInput, Walk } from './walk.js';

/** Where the attention of one head lies, and how much of it each strategy read. */
export interface MassMap {
  readonly layer: number;
  readonly head: number;
  /** Tokens a column stands for. */
  readonly span: number;
  /** The position of each row's query: the last token of each column. */
  readonly positions: readonly number[];
  /** True attention mass, `[rows][columns]`; a row sums to 1. */
  readonly truth: Mass;
  readonly panels: readonly MassPanel[];
}

export interface MassPanel {
  readonly candidate: Candidate;
  /** The part of the true mass that was read; undefined: nothing was read there. */
  readonly captured: readonly (readonly (number | undefined)[])[];
  /** Mean over the rows. */
  readonly recall: number;
}

type Mass = readonly (readonly number[])[];

/** Rows and columns of a map, at most. */
const CELLS = 64;
const PAGE = 64;

/**
 * Maps the head on which the candidates differ most.
 *
 * The trick: each value is replaced by the one-hot number of its column. What attention then puts out is how its
 * mass is spread over the columns, for any strategy, whatever form its plan has.
 */
export async function mapMass(
  device: Device,
  input: LayerInput,
  dense: Candidate,
  candidates: readonly Candidate[],
): Promise<MassMap> {
  const { tokens, heads } = input.config;
  const span = PAGE * Math.ceil(tokens / CELLS / PAGE);
  const columns = Math.max(1, Math.floor(tokens / span));
  const positions = Array.from({ length: columns }, (_, i) => Math.min(tokens, (i + 1) * span) - 1);
  const named = withColumnsAsValues(input, span, columns);
  const truth = await spread(device, dense, named, positions);
  const read: Spread[] = [];
  for (const candidate of candidates) read.push(await spread(device, candidate, named, positions));
  const head = mostDisputed(heads, read);
  const panels = read.map((one, i) => panelOf(candidates[i], one, head));
  return { layer: input.layer, head, span, positions, truth: truth.mass[head], panels };
}

/** What a strategy's output is made of, `[heads][rows][columns]`, and its recall, `[heads][rows]`. */
interface Spread {
  readonly mass: readonly Mass[];
  readonly recall: Mass;
}

async function spread(
  device: Device,
  candidate: Candidate,
  input: LayerInput,
  positions: readonly number[],
): Promise<Spread> {
  const { heads, valueDim } = input.config;
  const mass: number[][][] = Array.from({ length: heads }, () => []);
  const recall: number[][] = Array.from({ length: heads }, () => []);
  const strategy = audit(candidate.create(), {
    sample: 1,
    onReport: ({ recalls: [row] }) => row.forEach((share, head) => recall[head].push(share)),
  });
  const walk = new Walk(device.backend, strategy, input);
  for (const position of positions) {
    const result = await walk.attend({ start: position, count: 1 });
    const output = await result.output.data();
    await result.stats(); // the audit has reported then
    mass.forEach((rows, head) =>
      rows.push([...output.subarray(head * valueDim, (head + 1) * valueDim)]),
    );
    result.dispose();
  }
  walk.dispose();
  return { mass, recall };
}

/** Values `[kvHeads, tokens, columns]`, each 1 in its token's column and 0 elsewhere. */
function withColumnsAsValues(input: LayerInput, span: number, columns: number): LayerInput {
  const { kvHeads, tokens } = input.config;
  const value = new Float32Array(kvHeads * tokens * columns);
  for (let row = 0; row < kvHeads * tokens; row++) {
    const column = Math.floor((row % tokens) / span);
    if (column < columns) value[row * columns + column] = 1;
  }
  return { ...input, value, config: { ...input.config, valueDim: columns } };
}

/** The head on which the best and the worst recall lie furthest apart. */
function mostDisputed(heads: number, read: readonly Spread[]): number {
  const gaps = Array.from({ length: heads }, (_, head) =>
    gapOf(read.map(({ recall }) => mean([...recall[head]]))),
  );
  return gaps.indexOf(Math.max(...gaps));
}

/** How far apart the best and the worst recall lie; of a single one, how far it is from dense attention. */
export function gapOf(recalls: readonly number[]): number {
  const best = recalls.length === 1 ? 1 : Math.max(...recalls);
  return best - Math.min(...recalls);
}

/** The output spreads what was read as if it were everything; its recall says how much that was. */
function panelOf(candidate: Candidate, { mass, recall }: Spread, head: number): MassPanel {
  return {
    candidate,
    recall: mean([...recall[head]]),
    captured: mass[head].map((row, i) =>
      row.map((share) => (share > 0 ? share * recall[head][i] : undefined)),
    ),
  };
}
