import { BackendError } from '@jit-attention/core';
import { TensorProto_DataType as DataType } from 'onnx-buf';

import type { Piece } from '../cut/cut.js';
import { type KnownValues, pieceModel } from '../cut/model.js';
import { narrow, ROWS } from '../cut/narrow.js';
import { type Place, POSITIONS } from '../cut/places.js';
import type { OnnxGraph } from '../graph.js';
import type {
  Runtime,
  RuntimeFeeds,
  RuntimeSession,
  RuntimeSessionOptions,
  RuntimeValue,
} from '../runtime.js';
import { Facts } from '../sites/facts/facts.js';

/** A piece in ONNX Runtime. */
export interface OpenPiece {
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly places: readonly Place[];
  /** Values that no later piece needs. */
  readonly last: readonly string[];
  readonly run: (feeds: RuntimeFeeds) => Promise<RuntimeFeeds>;
}

export interface OpenPieces {
  readonly pieces: readonly OpenPiece[];
  /** Types and shapes of what goes between them. */
  readonly known: KnownValues;
  /** The last piece computes the rows that it is told to, and no others. */
  readonly narrowed: boolean;
  release(): Promise<void>;
}

export interface OpenSite {
  readonly runtime: Runtime;
  readonly graph: OnnxGraph;
  /** For every session: the user's, and where the weights are. */
  readonly options: RuntimeSessionOptions;
  /** Inputs that are declared otherwise than the graph does, by name. */
  readonly declared: readonly RuntimeValue[];
  /** What goes between pieces stays on the GPU. */
  readonly onGpu: boolean;
}

/** Inputs that no graph has. */
const OURS: readonly RuntimeValue[] = [
  { name: POSITIONS, isTensor: true, type: 'int64', shape: [-1, -1] },
  { name: ROWS, isTensor: true, type: 'int64', shape: [-1] },
];

/**
 * Opens pieces one after the other: what ONNX Runtime says of an earlier piece's outputs is what a later one's
 * inputs are declared with, so nothing has to be inferred here.
 *
 * @throws {BackendError} `BACKEND_FAILED`; nothing is held then
 */
export async function openPieces(site: OpenSite, pieces: readonly Piece[]): Promise<OpenPieces> {
  const known = new Map<string, RuntimeValue>();
  for (const value of [...OURS, ...site.declared]) known.set(value.name, value);
  const sessions: RuntimeSession[] = [];
  const release = async (): Promise<void> => {
    for (const session of sessions) await session.release();
  };
  const opened: OpenPiece[] = [];
  let narrowed = false;
  try {
    for (const [i, whole] of pieces.entries()) {
      const before = pieces[i - 1]?.places ?? [];
      const isLast = i > 0 && i === pieces.length - 1;
      const narrower = isLast ? narrow(site.graph, whole, before, known) : undefined;
      narrowed = narrower !== undefined;
      const piece = narrower ?? whole;
      const session = piece.nodes.length > 0 ? await open(site, piece, known) : undefined;
      if (session) sessions.push(session);
      for (const value of session?.outputMetadata ?? []) known.set(value.name, value);
      for (const place of piece.places) known.set(place.output, outputOf(place, known));
      const { inputs, outputs, places } = piece;
      const run = runner(site.graph.file, session, outputs);
      opened.push({ inputs, outputs, places, last: lastUsed(pieces, i), run });
    }
  } catch (error) {
    await release();
    throw error;
  }
  return { pieces: opened, known, narrowed, release };
}

/** The whole of a model in a session that somebody else opened, and keeps. */
export function openedPiece(
  { file }: OnnxGraph,
  { outputs }: Piece,
  session: RuntimeSession,
): OpenPieces {
  const known = new Map(session.outputMetadata.map((value) => [value.name, value]));
  const { inputNames: inputs } = session;
  const piece = { inputs, outputs, places: [], last: [], run: runner(file, session, outputs) };
  return { pieces: [piece], known, narrowed: false, release: () => Promise.resolve() };
}

function runner(
  file: string,
  session: RuntimeSession | undefined,
  outputs: readonly string[],
): OpenPiece['run'] {
  if (!session) return () => Promise.resolve({});
  return async (feeds) => {
    try {
      return await session.run(feeds, outputs);
    } catch (cause) {
      throw runtimeError(`run a piece of ${file}`, cause);
    }
  };
}

async function open(
  { runtime, graph, options, onGpu }: OpenSite,
  piece: Piece,
  known: KnownValues,
): Promise<RuntimeSession> {
  const places = onGpu ? { preferredOutputLocation: locationsOf(graph, piece) } : {};
  const model = pieceModel(graph, piece, known);
  try {
    return await runtime.InferenceSession.create(model, { ...options, ...places });
  } catch (cause) {
    throw runtimeError(`load a piece of ${graph.file}`, cause);
  }
}

/** Floats for places and later pieces stay where they are made; sizes are wanted on the host, and so are outputs. */
function locationsOf(graph: OnnxGraph, { outputs, places }: Piece): Record<string, 'gpu-buffer'> {
  const facts = Facts.of(graph);
  const wanted = places.flatMap(placeInputs);
  const isFloat = (name: string): boolean =>
    wanted.includes(name) ||
    facts.type(name) === DataType.FLOAT ||
    facts.type(name) === DataType.FLOAT16;
  const between = outputs.filter((name) => !graph.output(name) && isFloat(name));
  return Object.fromEntries(between.map((name) => [name, 'gpu-buffer']));
}

export function runtimeError(what: string, cause: unknown): BackendError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new BackendError(`ONNX Runtime could not ${what}: ${reason}`, {
    code: 'BACKEND_FAILED',
    hint: 'open the file in ONNX Runtime alone to see whether it loads and runs there',
    cause,
  });
}

/** As a place's query, with a width of its own. */
function outputOf({ site, layout, query, output }: Place, known: KnownValues): RuntimeValue {
  const [batch = -1, second = -1, third = -1] = known.get(query)?.shape ?? [];
  const { heads, valueDim } = site;
  const shape =
    layout === 'bhtd' ? [batch, heads, third, valueDim] : [batch, second, heads * valueDim];
  return { name: output, isTensor: true, type: 'float32', shape };
}

/** Values that come out of this piece or went into it, and into no later one. */
function lastUsed(pieces: readonly Piece[], i: number): string[] {
  const later = new Set(
    pieces
      .slice(i + 1)
      .flatMap(({ inputs, places }) => [...inputs, ...places.flatMap(placeInputs)]),
  );
  const here = [...pieces[i].inputs, ...pieces[i].outputs];
  return here.filter((name) => !later.has(name));
}

const placeInputs = ({ query, key, value }: Place): string[] => [query, key, value];
