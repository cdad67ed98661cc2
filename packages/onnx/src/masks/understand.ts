import { inputError, type InputError } from '@jit-attention/core';

import type { CutOptions } from '../build/cut-model.js';
import type { OnnxGraph } from '../graph.js';
import type { ModelConfig } from '../load/config.js';
import type { LoadedModel } from '../load/load.js';
import type { RuntimeTensor } from '../runtime.js';
import type { AttentionSite } from '../site.js';
import { MaskModel, type Trial } from './trials.js';
import { readMask, type Visible } from './visible.js';

/** A step of a few tokens, another after it, and one with padding: what masks say of these they say of all. */
const SHORT: Trial = { past: 0, tokens: 6, lengths: [6] };
const LATER: Trial = { past: 5, tokens: 3, lengths: [3] };
const PADDED: Trial = { past: 0, tokens: 6, lengths: [6, 4] };

/** Long enough to see a window: of a decoder by one query, of others by one in the middle. */
function longTrial({ positions = Infinity, window = 0 }: ModelConfig, isCached: boolean): Trial {
  const past = Math.min(positions - 1, Math.max(4608, 2 * window));
  const tokens = Math.min(positions, Math.max(1024, 4 * window));
  return isCached ? { past, tokens: 1, lengths: [1] } : { past: 0, tokens, lengths: [tokens] };
}

/**
 * What the masks of attentions say, found out by making them for a few steps: each has to be a causal order, a
 * window, the padding of `attention_mask`, or several of these.
 *
 * @returns the sites with `causal` and `window` as node and masks have them together
 * @throws {InputError} `UNSUPPORTED`, with the node and the mask, for a mask that says anything else
 */
export async function understandMasks(
  loaded: LoadedModel,
  sites: readonly AttentionSite[],
  options: CutOptions,
): Promise<AttentionSite[]> {
  const names = [...new Set(sites.flatMap(({ masks }) => masks.map(({ name }) => name)))];
  const { graph } = loaded;
  if (names.length === 0) return sites.map((site) => assertCausal(graph, site));
  const caches = sites.flatMap(({ cache }) => (cache ? [cache.pastKey, cache.pastValue] : []));
  const model = await MaskModel.open(loaded, names, new Set(caches), options);
  try {
    const isCached = caches.length > 0;
    const more = [...(graph.input('attention_mask') ? [PADDED] : []), ...(isCached ? [LATER] : [])];
    const trials = [SHORT, ...more, longTrial(loaded.config, isCached)];
    const made: Made[] = [];
    for (const trial of trials) made.push({ trial, masks: await model.run(trial) });
    return sites.map((site) => assertCausal(graph, understand(graph, site, made)));
  } finally {
    await model.release();
  }
}

interface Made {
  readonly trial: Trial;
  readonly masks: ReadonlyMap<string, RuntimeTensor>;
}

function understand(graph: OnnxGraph, site: AttentionSite, made: readonly Made[]): AttentionSite {
  if (site.masks.length === 0) return site;
  const seen = made.map(({ trial, masks }) => ({
    trial,
    see: together(graph, site, trial, masks),
  }));
  const [short] = seen;
  const causal = site.causal || short.see(0, 0, 1) === false;
  const long = seen.at(-1)!;
  const window = windowOf(long.trial, long.see) ?? site.window;
  const understood = { ...site, causal, window };
  for (const { trial, see } of seen) assertAsExpected(graph, understood, trial, see);
  return understood;
}

/** What all masks of a site let be seen; also what the node itself hides. */
function together(
  graph: OnnxGraph,
  site: AttentionSite,
  { past, tokens, lengths }: Trial,
  masks: ReadonlyMap<string, RuntimeTensor>,
): Visible {
  const size = { batch: lengths.length, keys: past + tokens };
  const parts = site.masks.map((mask) => {
    const tensor = masks.get(mask.name)!;
    const visible = readMask(mask, tensor, size);
    if (!visible) throw strange(graph, site, `${mask.name} [${tensor.dims.join(', ')}]`);
    return visible;
  });
  return (row, query, key) => {
    if (!isNear(site, past + query - key)) return false;
    const all = parts.map((visible) => visible(row, query, key));
    if (all.includes(false)) return false;
    return all.includes(undefined) ? undefined : true;
  };
}

/** Whether order and window let a key be seen so far before the query. */
function isNear({ causal, window = Infinity }: AttentionSite, distance: number): boolean {
  return distance < window && -distance < (causal ? 1 : window);
}

/** From the first key on that the query of interest sees; undefined: it sees them all. */
function windowOf({ past, tokens }: Trial, see: Visible): number | undefined {
  const query = middleOf(tokens);
  const position = past + query;
  let first = position;
  while (first > 0 && see(0, query, first - 1) !== false) first--;
  return first === 0 ? undefined : position - first + 1;
}

const middleOf = (tokens: number): number => Math.floor(tokens / 2);

function assertAsExpected(
  graph: OnnxGraph,
  site: AttentionSite,
  { past, tokens, lengths }: Trial,
  see: Visible,
): void {
  const queries = tokens > 64 ? [middleOf(tokens)] : Array.from({ length: tokens }, (_, i) => i);
  for (const [row, length] of lengths.entries()) {
    for (const query of queries.filter((one) => one < length)) {
      for (let key = 0; key < past + tokens; key++) {
        const isPadding = !site.causal && key >= past + length;
        const wanted = isNear(site, past + query - key) && !isPadding;
        const found = see(row, query, key);
        if (found === wanted) continue;
        const what = found === undefined ? 'weighs' : found ? 'shows' : 'hides';
        throw strange(graph, site, `one that ${what} key ${key} for the query at ${past + query}`);
      }
    }
  }
}

function strange(
  graph: OnnxGraph,
  { node, masks, layer }: AttentionSite,
  found: string,
): InputError {
  const names = masks.map(({ name }) => name).join(', ');
  return inputError(
    `${graph.file}: ${node.opType} '${node.name}', mask ${names}`,
    'a causal order, a window, or padding',
    found,
    { code: 'UNSUPPORTED', hint: `or leave the layer to ONNX Runtime: leave: [${layer}]` },
  );
}

/** A cache goes with a causal order. */
function assertCausal(graph: OnnxGraph, site: AttentionSite): AttentionSite {
  if (!site.cache || site.causal) return site;
  const { node } = site;
  throw inputError(
    `${graph.file}: ${node.opType} '${node.name}'`,
    'a causal order',
    'a cache without one',
    {
      code: 'UNSUPPORTED',
    },
  );
}
