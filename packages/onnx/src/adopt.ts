import { cpu } from '@jit-attention/backend-cpu';
import { assertKnown, assertWhole, type AttentionStrategy } from '@jit-attention/core';

import { Adopted } from './adopted.js';
import { cutModel } from './build/cut-model.js';
import { engineOf } from './build/engine.js';
import { layerInfo, makeLayer } from './build/layers.js';
import { answerShapes } from './cut/shapes.js';
import { assertTaken, findSites, type Found } from './find-sites.js';
import { parseLayers } from './layers.js';
import { loadModel } from './load/load.js';
import { importRuntime } from './load/runtime.js';
import { understandMasks } from './masks/understand.js';
import type { AdoptedModel, AdoptOptions, LayerOfModel } from './model.js';
import { makeBridge, sharesGpu } from './run/bridge.js';
import type { AttentionSite } from './site.js';
import type { ModelSource } from './source.js';
import { verify } from './verify/verify.js';

const OPTIONS: readonly (keyof AdoptOptions)[] = [
  ...(['strategy', 'layers', 'leave', 'backend', 'runtime', 'session', 'file'] as const),
  ...(['storage', 'pageSize', 'rollback', 'chunk', 'verify', 'audit'] as const),
];

/**
 * Puts our attention into an existing ONNX model: the graph is cut at its attentions, ONNX Runtime runs the pieces,
 * and a strategy decides what each layer reads.
 *
 *     const model = await adopt('models/SmolLM2', { strategy: topk({ budget: 1024 }), layers: '2-' });
 *     for await (const token of model.generate(ids, { maxNewTokens: 100 })) …
 *     await model.dispose();
 *
 * @throws {InputError} `MISSING_INPUT` (a file), `INVALID_OPTION`, `INVALID_DTYPE`, `UNSUPPORTED` (with node,
 *   attribute and file)
 * @throws {ModelError} `MODEL_INVALID`, `MODEL_MISMATCH`
 * @throws {BackendError} `BACKEND_FAILED` when ONNX Runtime does not load a piece
 */
export async function adopt(
  source: ModelSource,
  options: AdoptOptions = {},
): Promise<AdoptedModel> {
  assertKnown('adopt', options, OPTIONS);
  const { chunk = 512, session } = options;
  assertWhole('adopt', 'chunk', chunk, { min: 1 });
  const runtime = options.runtime ?? (await importRuntime());
  const file = loadModel(source, runtime, options.file);
  const found = findSites(file.graph);
  const { sites: taken, left } = divide(found, options, (one) => assertTaken(file.graph, one));
  const graph = answerShapes(file.graph, taken);
  const loaded = { ...file, graph };
  const sites = await understandMasks(loaded, taken, { runtime, session });
  const strategies = strategiesOf(sites, options, found.length);

  const made: (() => void | Promise<void>)[] = [];
  try {
    const own = options.backend ? undefined : await cpu();
    if (own) made.push(() => own.dispose?.());
    const backend = options.backend ?? own!;
    const onGpu = sharesGpu(runtime, backend, session ?? {});
    const cut = await cutModel(loaded, sites, { runtime, session, onGpu });
    made.push(() => cut.open.release());
    const bridge = makeBridge(runtime, backend, session ?? {});
    const ours = cut.places.map((place, i) =>
      makeLayer({ bridge, graph, backend }, place, strategies[i], options),
    );
    const engine = engineOf(cut, ours);
    const { config } = loaded;
    const model = new Adopted({
      file: graph.file,
      config,
      cut,
      engine,
      ours,
      left,
      chunk,
      backend: own,
    });
    const { verify: check = true } = options;
    if (check !== false && sites.length > 0) {
      const verified = { loaded, runtime, session, backend, onGpu, isDecoder: model.isDecoder };
      await verify(verified, cut, check === true ? {} : check);
    }
    return model;
  } catch (error) {
    for (const undo of made.reverse()) await undo();
    throw error;
  }
}

function divide(
  found: readonly Found[],
  { leave = [] }: AdoptOptions,
  take: (one: Found) => AttentionSite,
): { sites: AttentionSite[]; left: LayerOfModel[] } {
  const leaves = parseLayers('leave', leave, found.length);
  const sites = found.filter(({ layer }) => !leaves.has(layer)).map(take);
  const left = found.filter(({ layer }) => leaves.has(layer)).map(leftInfo);
  return { sites, left };
}

function leftInfo(found: Found): LayerOfModel {
  if (!('supported' in found)) return layerInfo(found);
  const { node, layer: index } = found;
  const sizes = { heads: NaN, kvHeads: NaN, headDim: NaN, valueDim: NaN };
  return { index, node: node.name, kind: node.opType, ...sizes, causal: false, window: undefined };
}

function strategiesOf(
  sites: readonly AttentionSite[],
  { strategy, layers = 'all' }: AdoptOptions,
  count: number,
): (AttentionStrategy | undefined)[] {
  const chosen = parseLayers('layers', layers, count);
  return sites.map((site) => {
    if (!strategy || !chosen.has(site.layer)) return undefined;
    return typeof strategy === 'function' ? strategy(layerInfo(site)) : strategy;
  });
}
