import { inputError } from '@jit-attention/core';

import { unsupported } from './errors.js';
import type { AttentionNode } from './onnx/attention-nodes.js';
import type { LayerRecorder, LayerShape } from './recorder.js';

/** The nodes of the layers asked for, all by default. */
export function chooseLayers(
  nodes: AttentionNode[],
  layers: readonly number[] | undefined,
): AttentionNode[] {
  if (!layers) return nodes;
  const known = nodes.map(({ layer }) => layer);
  const unknown = layers.filter((layer) => !known.includes(layer));
  if (unknown.length > 0 || layers.length === 0) {
    throw inputError('captureAttention layers', `some of ${known.join(', ')}`, unknown);
  }
  return nodes.filter(({ layer }) => layers.includes(layer));
}

/** The shape that all captured layers have. */
export function commonShape(recorders: LayerRecorder[]): LayerShape {
  const [first, ...others] = recorders as [LayerRecorder, ...LayerRecorder[]];
  for (const other of others) {
    if (text(other.shape) === text(first.shape)) continue;
    throw unsupported(
      `layers ${first.layer} and ${other.layer} differ: ${text(first.shape)}; ${text(other.shape)}`,
      'choose layers of one shape by --layers',
    );
  }
  return first.shape;
}

/** One sentence for each thing that the model's attention does and the captured data leave out. */
export function warningsOf(
  nodes: AttentionNode[],
  attentionLayers: number,
  modelLayers: number | undefined,
): string[] {
  const features = new Set(nodes.flatMap(({ deviations }) => deviations));
  const warnings = [...features].map((feature) => {
    const having = nodes.filter(({ deviations }) => deviations.includes(feature));
    const where = having.map(({ layer }) => layer).join(', ');
    return `layers ${where}: the model's attention has ${feature}; compared as plain causal attention`;
  });
  if (modelLayers !== undefined && modelLayers !== attentionLayers) {
    warnings.push(`${attentionLayers} of the model's ${modelLayers} layers have attention`);
  }
  return warnings;
}

function text({ heads, kvHeads, headDim, valueDim, scale }: LayerShape): string {
  return `heads ${heads}, kvHeads ${kvHeads}, headDim ${headDim}, valueDim ${valueDim}, scale ${scale}`;
}
