import {
  type Attention,
  audit,
  type AuditReport,
  type AttentionStrategy,
  type Backend,
  createAttention,
  inputError,
} from '@jit-attention/core';
import { dense } from '@jit-attention/strategy-dense';
import { windowed } from '@jit-attention/strategy-windowed';

import type { Place } from '../cut/places.js';
import type { OnnxGraph } from '../graph.js';
import type { AdoptOptions, LayerOfModel } from '../model.js';
import type { Bridge } from '../run/bridge.js';
import { ModelLayer } from '../run/layer.js';
import type { AttentionSite } from '../site.js';

export interface LayerSite {
  readonly bridge: Bridge;
  readonly graph: OnnxGraph;
  readonly backend: Backend;
}

export type LayerOptions = Pick<AdoptOptions, 'storage' | 'pageSize' | 'rollback' | 'audit'>;

/**
 * An attention object for a place.
 *
 * @param chosen the user's strategy; undefined: the model's own attention, dense or with its window
 * @throws {InputError} `UNSUPPORTED`, `INVALID_OPTION`, and what the strategy refuses
 */
export function makeLayer(
  { bridge, graph, backend }: LayerSite,
  place: Place,
  chosen: AttentionStrategy | undefined,
  { storage, pageSize, rollback = 256, audit: audited }: LayerOptions,
): ModelLayer {
  const { site, layout } = place;
  const { heads, kvHeads, headDim, valueDim, scale, softcap } = site;
  const sinkLogits = sinkLogitsOf(graph, site);
  const make = (listener: (report: AuditReport) => void): Attention => {
    const strategy = strategyOf(site, chosen, audited, listener);
    const sizes = { heads, kvHeads, headDim, valueDim, scale, softcap, sinkLogits };
    // one more, for a token that fails is taken back
    const cache = { storage, pageSize, rollback: rollback + 1 };
    return createAttention({ backend, strategy, layout, ...sizes, ...cache });
  };
  return new ModelLayer(bridge, place, layerInfo(site), make);
}

export function layerInfo(site: AttentionSite): LayerOfModel {
  const { layer: index, node, kind, heads, kvHeads, headDim, valueDim, causal, window } = site;
  return { index, node: node.name, kind, heads, kvHeads, headDim, valueDim, causal, window };
}

function strategyOf(
  { layer, window }: AttentionSite,
  chosen: AttentionStrategy | undefined,
  audited: AdoptOptions['audit'],
  listener: (report: AuditReport) => void,
): AttentionStrategy {
  if (window !== undefined) return windowed({ window, sinks: 0 });
  if (!chosen) return dense();
  const [required] = Object.keys(chosen.requires ?? {});
  if (required !== undefined) {
    throw inputError('adopt', 'a strategy that reads queries, keys and values alone', chosen.name, {
      code: 'UNSUPPORTED',
      hint: `it requires ${required}, which layer ${layer} does not make`,
    });
  }
  if (!audited) return chosen;
  const { onReport } = audited;
  const both = (report: AuditReport): void => {
    listener(report);
    onReport?.(report);
  };
  return audit(chosen, { ...audited, onReport: both });
}

/** A smooth softmax is one with a sink of 0 a head. */
function sinkLogitsOf(graph: OnnxGraph, site: AttentionSite): readonly number[] | undefined {
  if (site.sinkLogits === undefined)
    return site.smoothSoftmax ? new Array<number>(site.heads).fill(0) : undefined;
  const logits = graph.constant(site.sinkLogits);
  if (logits) return logits;
  throw inputError(`${graph.file}: ${site.sinkLogits}`, 'sinks inside the graph', 'external data', {
    code: 'UNSUPPORTED',
  });
}
