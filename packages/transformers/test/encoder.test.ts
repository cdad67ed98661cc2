import { rmSync } from 'node:fs';

import { env, type FeatureExtractionPipeline, pipeline } from '@huggingface/transformers';
import { cpu } from '@jit-attention/backend-cpu';
import type { Backend } from '@jit-attention/core';
import { windowed } from '@jit-attention/strategy-windowed';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { adoptTransformers } from '../src/index.js';
import { writeEncoder } from './support/encoder.js';

const TEXTS = [
  'Call me Ishmael.',
  'Some years ago, never mind how long precisely, having little or no money in my purse.',
];

describe('an encoder', () => {
  let source: string;
  let embed: FeatureExtractionPipeline;
  let backend: Backend;

  beforeAll(async () => {
    env.allowRemoteModels = false;
    backend = await cpu({ threads: 1 });
    source = writeEncoder();
    embed = await pipeline('feature-extraction', source, { dtype: 'fp32' });
  });
  afterAll(async () => {
    await embed?.dispose();
    await backend?.dispose?.();
    rmSync(source, { recursive: true });
  });

  const embedded = async (texts: string[]): Promise<number[][]> =>
    (await embed(texts, { pooling: 'mean', normalize: true })).tolist() as number[][];

  it('embeds texts of unequal length as the original does', async () => {
    const before = await embedded(TEXTS);
    const handle = await adoptTransformers(embed.model, { source, backend });
    const after = await embedded(TEXTS);
    await handle.restore();
    expect(
      after
        .flat()
        .map((x, i) => Math.abs(x - before.flat()[i]))
        .every((d) => d < 1e-5),
    ).toBe(true);
    expect(before[0]).not.toEqual(before[1]);
    expect(backend.memory()).toEqual({ tensors: 0, bytes: 0 });
  });

  it('reads what a strategy says', async () => {
    const strategy = windowed({ window: 8 });
    const handle = await adoptTransformers(embed.model, { source, backend, strategy });
    await embedded([TEXTS[1].repeat(4)]);
    const { layers, contexts } = await handle.report();
    expect(layers.every(({ density = 1 }) => density < 0.5)).toBe(true);
    expect(contexts).toBe(0);
    await handle.restore();
  });
});
