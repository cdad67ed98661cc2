import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { mulberry32 } from '../src/measure/runs.js';
import type { LayerInput } from '../src/measure/walk.js';
import { type AttentionConfig, type AttentionData, writeQkv } from '../src/model/index.js';

/** A folder for one test; removed by `dispose`. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'jit-attention-bench-'));

  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  at(name: string): string {
    return join(this.path, name);
  }

  dispose(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}

/**
 * Activations without a model: noise, and every 50th key of a layer is one that all queries look for, like a fact
 * that later tokens come back to.
 */
export function synthetic(sizes: Partial<AttentionConfig> = {}, layers = 2): AttentionData {
  const config: AttentionConfig = {
    source: 'synthetic',
    model: 'synthetic',
    layers,
    heads: 4,
    kvHeads: 2,
    headDim: 16,
    valueDim: 16,
    scale: 0.25,
    tokens: 320,
    ...sizes,
  };
  return {
    config,
    warnings: [],
    layers: Array.from({ length: layers }, (_, layer) => layerOf(config, layer)),
  };
}

function layerOf(config: AttentionConfig, layer: number): AttentionData['layers'][number] {
  const { heads, kvHeads, headDim, valueDim, tokens } = config;
  const random = mulberry32(layer + 1);
  const noise = (count: number): Float32Array =>
    Float32Array.from({ length: count }, () => random() * 2 - 1);
  const query = noise(heads * tokens * headDim);
  const key = noise(kvHeads * tokens * headDim);
  for (let row = 0; row < heads * tokens; row++) query[row * headDim] = 4;
  for (let row = 0; row < kvHeads * tokens; row += 50) key[row * headDim] = 4;
  return { layer, query, key, value: noise(kvHeads * tokens * valueDim) };
}

export function firstLayer(data: AttentionData): LayerInput {
  return { ...data.layers[0], config: data.config };
}

/** Writes activations as a file for `--qkv`. */
export function writeSynthetic(folder: Folder, data: AttentionData = synthetic()): string {
  const path = folder.at('qkv.safetensors');
  writeQkv(path, data);
  return path;
}
