import { Engine } from '../run/engine.js';
import type { ModelLayer } from '../run/layer.js';
import type { CutModel } from './cut-model.js';

/** Puts layers into the places of a model; several engines may share its pieces. */
export function engineOf(cut: CutModel, layers: readonly ModelLayer[]): Engine {
  const { runtime, inputs, open, left, sizes, outputs } = cut;
  const byOutput = new Map(layers.map((layer) => [layer.place.output, layer]));
  return new Engine({ runtime, inputs, open, layers: byOutput, left, sizes, outputs });
}
