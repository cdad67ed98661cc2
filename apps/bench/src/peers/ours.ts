import { webgpu } from '@jit-attention/backend-webgpu';
import { createAttention } from '@jit-attention/core';
import { dense } from '@jit-attention/strategy-dense';

import { tensorsOf } from '../race/shape.js';
import type { Peer } from './peer.js';

/** Our dense attention, where peers run that Node has not: in a page. */
export const ours: Peer = {
  implementation: 'jit-attention',
  backend: 'webgpu',
  host: 'chromium',
  async open(shape, inputs) {
    const { heads, kvHeads, headDim, valueDim } = shape;
    const backend = await webgpu();
    const strategy = dense();
    const attention = createAttention({ backend, strategy, heads, kvHeads, headDim, valueDim });
    const tensors = tensorsOf(backend, shape, inputs);
    return {
      async run() {
        const result = await attention.run(tensors);
        const output = await result.output.data();
        result.dispose();
        return output;
      },
    };
  },
};
