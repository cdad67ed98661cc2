import type { Peer } from './peer.js';

/**
 * Its `dotProductAttention` needs iterator helpers, which Node has from 22 on; this is what it does, compiled by `jit`
 * in the same way.
 */
export const jax = (device: 'wasm' | 'webgpu'): Peer => ({
  implementation: '@jax-js/jax',
  ...(device === 'wasm' ? { backend: 'cpu' } : { backend: 'webgpu', host: 'chromium' }),
  async open({ heads, kvHeads, headDim, valueDim, tokens }, inputs) {
    const { init, defaultDevice, jit, nn, numpy } = await import('@jax-js/jax');
    await init(device);
    defaultDevice(device);
    type Array = ReturnType<typeof numpy.array>;
    const array = (data: Float32Array, ...shape: number[]): Array =>
      numpy.array(data).reshape(shape);
    const query = array(inputs.query, heads, tokens, headDim);
    const key = array(inputs.key, kvHeads, tokens, headDim);
    const value = array(inputs.value, kvHeads, tokens, valueDim);
    const mask = array(causalMask(tokens), tokens, tokens);
    const attend = jit((q: Array, k: Array, v: Array, bias: Array) => {
      const logits = numpy
        .matmul(q, k.transpose([0, 2, 1]))
        .mul(headDim ** -0.5)
        .add(bias);
      return numpy.matmul(nn.softmax(logits, -1), v);
    });
    return {
      run: async () =>
        (await attend(query.ref, key.ref, value.ref, mask.ref).data()) as Float32Array,
    };
  },
});

/** 0 where a query sees a key, far below every logit elsewhere. */
function causalMask(tokens: number): Float32Array {
  const mask = new Float32Array(tokens * tokens).fill(-1e9);
  for (let row = 0; row < tokens; row++) mask.fill(0, row * tokens, row * tokens + row + 1);
  return mask;
}
