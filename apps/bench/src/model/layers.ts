import { inputError } from '@jit-attention/core';

import { unsupported } from './errors.js';
import type { AttentionNode } from './onnx/attention-nodes.js';
import type { LayerRecorder, LayerShape } from './recorder.js';

/**
 * The layers asked for, of those that there are, in their order; all by default.
 *
 * @param where what asks, to begin an error with
 * @throws `INVALID_OPTION` for one that there is not, or none at all
 */
export function chooseLayers(
  where: string,
  known: readonly number[],
  layers: readonly number[] | undefined,
): number[] {
  if (!layers) return [...known];
  const unknown = layers.filter((layer) => !known.includes(layer));
  if (unknown.length > 0 || layers.length === 0) {
    throw inputError(where, `some of ${known.join(', ')}`, unknown);
  }
  return known.filter((layer) => layers.includes(layer));
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
