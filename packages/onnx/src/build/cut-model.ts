import { inputError } from '@jit-attention/core';

import { cutGraph, type Piece } from '../cut/cut.js';
import { MICROSOFT } from '../cut/nodes.js';
import { type Place, placeOf } from '../cut/places.js';
import type { OnnxGraph } from '../graph.js';
import type { LoadedModel } from '../load/load.js';
import type { LeftCache } from '../run/context.js';
import { ModelInputs } from '../run/model-inputs.js';
import { openedPiece, type OpenPieces, openPieces } from '../run/open.js';
import type { Runtime, RuntimeSession, RuntimeSessionOptions, RuntimeTensor } from '../runtime.js';
import type { AttentionSite } from '../site.js';
import { cachesOf, declaredPast, sizeOfPast } from './caches.js';
import { vocabularyOf } from './vocabulary.js';

/** Pieces of a model, and what they are fed with. */
export interface OpenModel {
  readonly runtime: Runtime;
  readonly graph: OnnxGraph;
  readonly open: OpenPieces;
  readonly inputs: ModelInputs;
  /** What is fed for a past whose size alone is asked for, by name. */
  readonly sizes: ReadonlyMap<string, (batch: number, past: number) => RuntimeTensor>;
}

/** A model in pieces, without attention. */
export interface CutModel extends OpenModel {
  readonly places: readonly Place[];
  readonly left: readonly LeftCache[];
  /** Without caches. */
  readonly outputs: readonly string[];
}

/**
 * Cuts a model at `sites` and opens the pieces; with none, the model as it is.
 *
 * @throws {InputError} `UNSUPPORTED` @throws {BackendError} `BACKEND_FAILED`
 */
export async function cutModel(
  loaded: LoadedModel,
  sites: readonly AttentionSite[],
  options: CutOptions,
): Promise<CutModel> {
  const { graph } = loaded;
  const { ours, left } = cachesOf(options.runtime, graph, sites);
  const places = sites.map((site) => placeOf(site, graph.opset('') ?? 0));
  const presents = left.map(({ present }) => present);
  const outputs = graph.outputs
    .map(({ name }) => name)
    .filter((name) => !ours.presents.has(name) && !presents.includes(name))
    .concat(options.shown ?? []);
  const pieces = cutGraph(graph, places, [...outputs, ...presents]);
  const opened = await openModel(loaded, pieces, { ours: ours.pasts, left }, options);
  return { ...opened, places, left, outputs };
}

export interface CutOptions {
  readonly runtime: Runtime;
  /** What goes between pieces stays on the GPU. Default false. */
  readonly onGpu?: boolean | undefined;
  /** A session of the whole model that is there already, which one piece can be run in. */
  readonly opened?: RuntimeSession | undefined;
  /** Values that are to come out as well, to be looked at. */
  readonly shown?: readonly string[] | undefined;
  /** The user's, for every session. */
  readonly session?: RuntimeSessionOptions | undefined;
}

/** Opens pieces that may still ask for the size of a past that is `ours`, but for nothing else of it. */
export async function openModel(
  { graph, config, weights }: LoadedModel,
  pieces: readonly Piece[],
  pasts: { readonly ours: ReadonlySet<string>; readonly left: readonly LeftCache[] },
  { runtime, session = {}, opened, onGpu = false }: CutOptions,
): Promise<OpenModel> {
  const read = new Set(opened?.inputNames ?? pieces.flatMap((piece) => piece.inputs));
  const asked = [...pasts.ours].filter((name) => read.has(name));
  for (const name of asked) assertSizeOnly(graph, pieces, name);
  const caches = new Set([...pasts.ours, ...pasts.left.map(({ past }) => past)]);
  const vocabulary = vocabularyOf(graph, config);
  const inputs = new ModelInputs({
    ...{ runtime, graph, caches, read, vocabulary },
    positions: positionsOf(graph, pieces),
  });
  const declared = asked.map((name) => declaredPast(graph, name));
  const options = sessionOptions(session, weights);
  const open = opened
    ? openedPiece(graph, pieces[0], opened)
    : await openPieces({ runtime, graph, options, declared, onGpu }, pieces);
  const sizes = new Map(asked.map((name) => [name, sizeOfPast(runtime, graph, name)]));
  return { runtime, graph, open, inputs, sizes };
}

/** The shortest of the tables that our nodes look rotations up in; tables that are computed have no end. */
function positionsOf(graph: OnnxGraph, pieces: readonly Piece[]): number {
  const rotations = pieces.flatMap(({ nodes }) =>
    nodes.filter(({ opType, domain }) => opType === 'RotaryEmbedding' && domain === MICROSOFT),
  );
  const rows = rotations.map(({ input: [, , cos] }) => graph.initializer(cos)?.dims[0] ?? Infinity);
  return Math.min(Infinity, ...rows.map(Number));
}

/** A past that is ours has no numbers for anybody else. */
function assertSizeOnly(graph: OnnxGraph, pieces: readonly Piece[], name: string): void {
  const readers = pieces.flatMap(({ nodes }) => nodes.filter(({ input }) => input.includes(name)));
  const other = readers.find(({ opType }) => opType !== 'Shape');
  if (!other) return;
  const where = `${graph.file}: ${other.opType} '${other.name}'`;
  throw inputError(where, `nothing but attention to read ${name}`, name, { code: 'UNSUPPORTED' });
}

/**
 * A piece may not let its threads spin while the next piece and our own threads work, nor keep the memory of its
 * largest step for itself: a model has as many pieces as layers.
 */
const MODEST: RuntimeSessionOptions = {
  logSeverityLevel: 3,
  enableCpuMemArena: false,
  enableMemPattern: false,
  extra: { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } },
};

export function sessionOptions(
  user: RuntimeSessionOptions,
  weights: RuntimeSessionOptions,
): RuntimeSessionOptions {
  const extra = [user.extra, weights.extra].reduce<object>(merged, MODEST.extra!);
  return { ...MODEST, ...user, ...weights, extra: extra as Record<string, unknown> };
}

/** Plain objects are merged, the latter counting more; everything else is taken. */
function merged(a: object, b: object | undefined): object {
  const out: Record<string, unknown> = { ...a };
  for (const [key, value] of Object.entries(b ?? {})) {
    const [old, own] = [out[key], value as unknown];
    out[key] = isObject(old) && isObject(own) ? merged(old, own) : own;
  }
  return out;
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;
