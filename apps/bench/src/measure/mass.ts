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

/** A cell with this much of a row's attention is a place that one can point at. */
const PLACE = 0.05;

/**
 * Maps the head, of these layers, on which the candidates differ most in what they read of the places that much
 * attention goes to: there one sees what a choice of strategy is about.
 *
 * The trick: each value is replaced by the one-hot number of its column. What attention then puts out is how its
 * mass is spread over the columns, for any strategy, whatever form its plan has.
 */
export async function mapMass(
  device: Device,
  inputs: readonly LayerInput[],
  dense: Candidate,
  candidates: readonly Candidate[],
): Promise<MassMap> {
  const maps: MassMap[] = [];
  for (const input of inputs) maps.push(...(await mapHeads(device, input, dense, candidates)));
  const disputes = maps.map(disputeOf);
  return maps[disputes.indexOf(Math.max(...disputes))];
}

/** A map of each head of a layer. */
async function mapHeads(
  device: Device,
  input: LayerInput,
  dense: Candidate,
  candidates: readonly Candidate[],
): Promise<MassMap[]> {
  const { tokens, heads } = input.config;
  const span = PAGE * Math.ceil(tokens / CELLS / PAGE);
  const columns = Math.max(1, Math.floor(tokens / span));
  const positions = Array.from({ length: columns }, (_, i) => Math.min(tokens, (i + 1) * span) - 1);
  const named = withColumnsAsValues(input, span, columns);
  const truth = await spread(device, dense, named, positions);
  const read: Spread[] = [];
  for (const candidate of candidates) read.push(await spread(device, candidate, named, positions));
  return Array.from({ length: heads }, (_, head) => ({
    ...{ layer: input.layer, head, span, positions, truth: truth.mass[head] },
    panels: read.map((one, i) => panelOf(candidates[i], one, head)),
  }));
}

/** How far the candidates are apart at the {@link PLACE}s; a single one: how much it misses there. */
function disputeOf({ truth, panels }: MassMap): number {
  let sum = 0;
  truth.forEach((row, i) =>
    row.forEach((mass, column) => {
      if (mass < PLACE) return;
      const read = panels.map(({ captured }) => captured[i][column] ?? 0);
      sum += (read.length === 1 ? mass : Math.max(...read)) - Math.min(...read);
    }),
  );
  return sum;
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
