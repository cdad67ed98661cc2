import type { Frame } from './frame.js';

/** The weights `[D]` of the norm of queries or of keys. */
export const normWeight =
  (kind: 'q' | 'k') =>
  (frame: Frame, layer: number): string =>
    frame.weights.tensor(`/layers.${layer}/${kind}_norm.weight`, [frame.sizes.headDim], 1.5);

/** RMS normalisation of each head of `[B, T, heads * D]`. */
export function normHeads(frame: Frame, x: string, heads: number, weight: string): string {
  const apart = frame.reshape(x, 0, 0, heads, frame.sizes.headDim);
  const attributes = { axis: -1, epsilon: { float: 1e-6 } };
  return frame.reshape(
    frame.op('SimplifiedLayerNormalization', [apart, weight], { attributes }),
    ...[0, 0, -1],
  );
}
