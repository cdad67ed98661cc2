import { modelDirectory } from '@jit-attention/reference-model';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  type AttentionData,
  captureAttention,
  type CaptureProgress,
} from '../../src/model/index.js';
import { nodeOutputs, plainAttention, relativeError } from './expected.js';
import { attentionNodes, removeDirectories, variant } from './graphs.js';
import { setFloat, setInt, variants } from './variants.js';

/** Some text, as token ids. */
const ids = (count: number): number[] =>
  Array.from({ length: count }, (_, i) => 2 + ((i * i) % 997));

/** f32 sums in another order; where attention itself is in f16, its rounding of 5e-4. */
const TOLERANCE = 1e-4;
const HALF_TOLERANCE = 4e-3;

afterAll(removeDirectories);

describe('the reference model', () => {
  let data: AttentionData;
  beforeAll(async () => {
    data = await captureAttention({ directory: modelDirectory, tokens: 300 });
  });

  it('gives every layer in the shape its configuration says', () => {
    expect(data.config).toMatchObject({
      model: 'llama',
      layers: 4,
      heads: 4,
      kvHeads: 2,
      headDim: 64,
      valueDim: 64,
      scale: 0.125,
      tokens: 300,
    });
    expect(data.warnings).toEqual([]);
    expect(data.layers.map(({ layer }) => layer)).toEqual([0, 1, 2, 3]);
    for (const { query, key, value } of data.layers) {
      expect(query).toHaveLength(4 * 300 * 64);
      expect(key).toHaveLength(2 * 300 * 64);
      expect(value).toHaveLength(2 * 300 * 64);
    }
  });

  it('does not depend on where the text is cut into steps', async () => {
    const other = await captureAttention({ directory: modelDirectory, tokens: 300, chunk: 77 });
    data.layers.forEach(({ query, key, value }, i) => {
      expect(relativeError(other.layers[i].query, query)).toBeLessThan(TOLERANCE);
      expect(relativeError(other.layers[i].key, key)).toBeLessThan(TOLERANCE);
      expect(relativeError(other.layers[i].value, value)).toBeLessThan(TOLERANCE);
    });
  });

  it('gives chosen layers alone', async () => {
    const options = { directory: modelDirectory, tokens: 300, layers: [2, 0] };
    const { config, layers } = await captureAttention(options);
    expect(config.layers).toBe(4);
    expect(layers.map(({ layer }) => layer)).toEqual([0, 2]);
    expect(layers[1].query).toEqual(data.layers[2].query);
  });

  it('reads a text, or token ids', async () => {
    const options = { directory: modelDirectory, tokens: 5 };
    const text = await captureAttention({ ...options, text: 'Call me Ishmael. Some years ago' });
    const same = await captureAttention({ ...options, text: 'Call me Ishmael.' + ' x'.repeat(40) });
    const other = await captureAttention({ ...options, ids: [1, 2, 3, 4, 5, 6] });
    expect(same.layers).toEqual(text.layers);
    expect(other.layers).not.toEqual(text.layers);
  });

  it('reports as it goes', async () => {
    const seen: CaptureProgress[] = [];
    const onProgress = (progress: CaptureProgress) => seen.push(progress);
    await captureAttention({ directory: modelDirectory, tokens: 100, chunk: 40, onProgress });
    expect(seen.map(({ done }) => done)).toEqual([0, 40, 80, 100]);
  });

  it('stops between steps when told', async () => {
    const controller = new AbortController();
    const onProgress = ({ done }: CaptureProgress) => {
      if (done === 40) controller.abort();
    };
    const { signal } = controller;
    const options = { directory: modelDirectory, tokens: 100, chunk: 40, onProgress, signal };
    await expect(captureAttention(options)).rejects.toMatchObject({ code: 'ABORTED' });
  });
});

describe('attention on the captured data equals what the nodes give', () => {
  for (const [name, edit] of Object.entries(variants)) {
    it(name, async () => {
      const directory = variant(edit);
      const tokens = ids(name === 'as it is' ? 300 : 96);
      const expected = await nodeOutputs(directory, tokens);
      const options = { directory, ids: tokens, tokens: tokens.length, chunk: 40 };
      const { config, layers } = await captureAttention(options);
      const tolerance = name.includes('half precision') ? HALF_TOLERANCE : TOLERANCE;
      expect(layers).toHaveLength(4);
      for (const layer of layers) {
        const error = relativeError(plainAttention(config, layer), expected[layer.layer]);
        expect(error, `layer ${layer.layer}`).toBeLessThan(tolerance);
      }
    });
  }
});

describe('what a model does besides a causal softmax is said', () => {
  it.each([
    ['local_window_size 512', (node) => setInt(node, 'local_window_size', 512)],
    ['softcap 50', (node) => setFloat(node, 'softcap', 50)],
    ['smooth_softmax', (node) => setInt(node, 'smooth_softmax', 1)],
  ] as [string, (node: Parameters<typeof setInt>[0]) => void][])('%s', async (feature, change) => {
    const directory = variant((graph) => attentionNodes(graph).slice(1, 3).forEach(change));
    const { warnings } = await captureAttention({ directory, ids: ids(8), tokens: 8 });
    expect(warnings).toEqual([
      `layers 1, 2: the model's attention has ${feature}; compared as plain causal attention`,
    ]);
  });
});
