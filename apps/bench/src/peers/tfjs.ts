import type { Tensor } from '@tensorflow/tfjs-core';

import type { Peer } from './peer.js';

/** It has no attention: two products of matrices, a mask, a softmax, as one writes it there. */
export const tfjs: Peer = {
  implementation: '@tensorflow/tfjs-backend-wasm',
  backend: 'cpu',
  async open({ heads, kvHeads, headDim, valueDim, tokens }, inputs) {
    const tf = await import('@tensorflow/tfjs-core');
    const wasm = await import('@tensorflow/tfjs-backend-wasm');
    wasm.setThreadsCount(1);
    await tf.setBackend('wasm');
    await tf.ready();
    const query = tf.tensor3d(inputs.query, [heads, tokens, headDim]);
    const key = tf.tensor3d(inputs.key, [kvHeads, tokens, headDim]);
    const value = tf.tensor3d(inputs.value, [kvHeads, tokens, valueDim]);
    const mask = tf.tidy(() => {
      const seen = tf.linalg.bandPart(tf.ones([tokens, tokens]), -1, 0);
      return tf.mul(tf.sub(seen, 1), 1e9);
    });
    const attend = (): Tensor => {
      const logits = tf.mul(tf.matMul(query, key, false, true), headDim ** -0.5);
      return tf.matMul(tf.softmax(tf.add(logits, mask)), value);
    };
    return {
      async run() {
        const output = tf.tidy(attend);
        const data = await output.data<'float32'>();
        output.dispose();
        return data;
      },
    };
  },
};
