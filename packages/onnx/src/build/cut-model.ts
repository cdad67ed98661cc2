import { inputError } from '@jit-attention/core';

import { cutGraph, type Piece } from '../cut/cut.js';
import { type Place, placeOf } from '../cut/places.js';
import type { OnnxGraph } from '../graph.js';
import type { LoadedModel } from '../load/load.js';
import type { LeftCache } from '../run/context.js';
import { ModelInputs } from '../run/model-inputs.js';
import { type OpenPieces, openPieces } from '../run/open.js';
import type { Runtime, RuntimeSessionOptions, RuntimeTensor } from '../runtime.js';
import type { AttentionSite } from '../site.js';
import { cachesOf, declaredPast, sizeOfPast } from './caches.js';
import { vocabularyOf } from './vocabulary.js';

/** A model in pieces, without attention. */
export interface CutModel {
  readonly runtime: Runtime;
  readonly graph: OnnxGraph;
  readonly open: OpenPieces;
  readonly inputs: ModelInputs;
  readonly places: readonly Place[];
  readonly left: readonly LeftCache[];
  readonly sizes: ReadonlyMap<string, (batch: number, past: number) => RuntimeTensor>;
  /** Without caches. */
  readonly outputs: readonly string[];
}

/**
 * Cuts a model at `sites` and opens the pieces; with none, the model as it is.
 *
 * @throws {InputError} `UNSUPPORTED` @throws {BackendError} `BACKEND_FAILED`
 */
export async function cutModel(
  { graph, config, weights }: LoadedModel,
  sites: readonly AttentionSite[],
  { runtime, session = {} }: { runtime: Runtime; session?: RuntimeSessionOptions | undefined },
): Promise<CutModel> {
  const { ours, left } = cachesOf(runtime, graph, sites);
  const places = sites.map(placeOf);
  const presents = left.map(({ present }) => present);
  const outputs = graph.outputs
    .map(({ name }) => name)
    .filter((name) => !ours.presents.has(name) && !presents.includes(name));
  const pieces = cutGraph(graph, places, [...outputs, ...presents]);
  const read = new Set(pieces.flatMap((piece) => piece.inputs));
  const asked = [...ours.pasts].filter((name) => read.has(name));
  for (const name of asked) assertSizeOnly(graph, pieces, name);
  const caches = new Set([...ours.pasts, ...left.map(({ past }) => past)]);
  const vocabulary = vocabularyOf(graph, config);
  const inputs = new ModelInputs({ runtime, graph, caches, read, vocabulary });
  const declared = asked.map((name) => declaredPast(graph, name));
  const options = sessionOptions(session, weights);
  const open = await openPieces({ runtime, graph, options, declared }, pieces);
  const sizes = new Map(asked.map((name) => [name, sizeOfPast(runtime, graph, name)]));
  return { runtime, graph, open, inputs, places, left, sizes, outputs };
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
 * The pieces' thread pools may not spin: each would go on doing so while the next piece and our own threads work.
 */
const CALM = { session: { intra_op: { allow_spinning: '0' }, inter_op: { allow_spinning: '0' } } };

export function sessionOptions(
  user: RuntimeSessionOptions,
  weights: RuntimeSessionOptions,
): RuntimeSessionOptions {
  const extra = [CALM, user.extra, weights.extra].reduce<object>(merged, {});
  return { logSeverityLevel: 3, ...user, ...weights, extra: extra as Record<string, unknown> };
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
