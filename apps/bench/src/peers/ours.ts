import { webgpu } from '@jit-attention/backend-webgpu';
import { createAttention, type Tensor } from '@jit-attention/core';
import { dense } from '@jit-attention/strategy-dense';

import type { Peer } from './peer.js';

/** Our dense attention, where peers run that Node has not: in a page. */
export const ours: Peer = {
  implementation: 'jit-attention',
  backend: 'webgpu',
  host: 'chromium',
  async open({ heads, kvHeads, headDim, valueDim, tokens }, inputs) {
    const backend = await webgpu();
    const strategy = dense();
    const attention = createAttention({ backend, strategy, heads, kvHeads, headDim, valueDim });
    const upload = (data: Float32Array, count: number, width: number): Tensor =>
      backend.tensor(data, { shape: [1, count, tokens, width] });
    const query = upload(inputs.query, heads, headDim);
    const key = upload(inputs.key, kvHeads, headDim);
    const value = upload(inputs.value, kvHeads, valueDim);
    return {
      async run() {
        const result = await attention.run({ query, key, value });
        const output = await result.output.data();
        result.dispose();
        return output;
      },
    };
  },
};
