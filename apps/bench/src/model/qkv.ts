import type { InputError } from '@jit-attention/core';
import { inputError } from '@jit-attention/core';
import { basename } from 'node:path';

import type { AttentionConfig, AttentionData, LayerData } from './attention-data.js';
import { fileError } from './errors.js';
import { BYTES, type FloatType, toFloat32 } from './floats.js';
import { chooseLayers } from './layers.js';
import {
  openSafetensors,
  type SafetensorsFile,
  type StoredTensor,
  writeSafetensors,
} from './safetensors.js';

const TYPES: Record<string, FloatType> = { F32: 'f32', F16: 'f16', BF16: 'bf16' };
const PARTS = ['q', 'k', 'v'] as const;

/** One layer's tensors, checked but not read. */
type LayerTensors = Record<(typeof PARTS)[number], StoredTensor>;

/**
 * Reads queries, keys and values of any model from a safetensors file: for each layer `i`
 *
 *     layer.<i>.q   [heads, tokens, headDim]      rotated, as attention sees them
 *     layer.<i>.k   [kvHeads, tokens, headDim]    rotated
 *     layer.<i>.v   [kvHeads, tokens, valueDim]
 *
 * in f32, f16 or bf16. The scale is `headDim ** -0.5` unless the file's metadata have a `scale`.
 *
 * @param layers only these; all layers of the file by default
 * @throws `MISSING_INPUT` for a file or tensor that is not there, `INVALID_SHAPE`, `INVALID_DTYPE`
 */
export function readQkv(path: string, layers?: readonly number[]): AttentionData {
  const file = openSafetensors(path);
  const numbers = layerNumbers(file);
  const chosen = chooseLayers(`layers of ${path}`, numbers, layers);
  const found = chosen.map((layer) => layerTensors(file, layer));
  const config = configOf(file, numbers.length, found[0]);
  for (const tensors of found) requireShapes(path, tensors, config);
  return { config, layers: chosen.map((layer, i) => readLayer(layer, found[i])), warnings: [] };
}

/** Writes captured data in the form that {@link readQkv} reads, in f32. */
export function writeQkv(path: string, { config, layers }: AttentionData): void {
  const { heads, kvHeads, headDim, valueDim, tokens, scale, model } = config;
  const tensors = layers.flatMap(({ layer, query, key, value }) => [
    { name: `layer.${layer}.q`, shape: [heads, tokens, headDim], values: query },
    { name: `layer.${layer}.k`, shape: [kvHeads, tokens, headDim], values: key },
    { name: `layer.${layer}.v`, shape: [kvHeads, tokens, valueDim], values: value },
  ]);
  writeSafetensors(path, tensors, {
    model,
    scale: String(scale),
    layers: String(config.layers),
  });
}

function layerNumbers({ path, tensors }: SafetensorsFile): number[] {
  const matches = [...tensors.keys()].map((name) => /^layer\.(\d+)\.[qkv]$/.exec(name));
  const numbers = new Set(matches.filter((match) => match !== null).map((m) => Number(m[1])));
  if (numbers.size > 0) return [...numbers].sort((a, b) => a - b);
  const some = [...tensors.keys()].slice(0, 3).join(', ') || 'nothing';
  throw fileError(
    `${path} has no tensor layer.<i>.q (it has ${some})`,
    'name the tensors layer.0.q, layer.0.k, layer.0.v and so on',
  );
}

function layerTensors({ path, tensors }: SafetensorsFile, layer: number): LayerTensors {
  const found = PARTS.map((part) => {
    const name = `layer.${layer}.${part}`;
    const tensor = tensors.get(name);
    if (!tensor) throw fileError(`${path} has no tensor ${name}`, 'a layer needs q, k and v');
    requireTensor(path, tensor);
    return [part, tensor] as const;
  });
  return Object.fromEntries(found) as LayerTensors;
}

function requireTensor(path: string, { name, dtype, shape, byteLength }: StoredTensor): void {
  const type = TYPES[dtype];
  if (!type) {
    throw inputError(`${name} of ${path}`, 'dtype F32, F16 or BF16', dtype, {
      code: 'INVALID_DTYPE',
    });
  }
  const elements = shape.reduce((product, size) => product * size, 1);
  if (shape.length !== 3 || elements === 0) {
    throw shapeError(path, name, '[heads, tokens, headDim], none of them 0', shape);
  }
  if (byteLength !== elements * BYTES[type]) {
    throw inputError(`${name} of ${path}`, `${elements * BYTES[type]} bytes`, byteLength, {
      code: 'INVALID_SHAPE',
    });
  }
}

function configOf(
  { path, metadata }: SafetensorsFile,
  count: number,
  first: LayerTensors,
): AttentionConfig {
  const [heads, tokens, headDim] = first.q.shape as [number, number, number];
  const [kvHeads, , valueDim] = first.v.shape as [number, number, number];
  if (heads % kvHeads !== 0) {
    throw shapeError(path, first.k.name, `a number of heads that divides ${heads}`, first.k.shape);
  }
  return {
    source: path,
    model: metadata['model'] ?? basename(path),
    layers: Number(metadata['layers'] ?? count),
    ...{ heads, kvHeads, headDim, valueDim, tokens },
    scale: scaleOf(path, metadata['scale'], headDim),
  };
}

function scaleOf(path: string, text: string | undefined, headDim: number): number {
  if (text === undefined) return headDim ** -0.5;
  const scale = Number(text);
  if (scale > 0 && Number.isFinite(scale)) return scale;
  throw inputError(`scale in the metadata of ${path}`, 'a positive number', text);
}

function requireShapes(
  path: string,
  { q, k, v }: LayerTensors,
  { heads, kvHeads, tokens, headDim, valueDim }: AttentionConfig,
): void {
  requireShape(path, q, [heads, tokens, headDim]);
  requireShape(path, k, [kvHeads, tokens, headDim]);
  requireShape(path, v, [kvHeads, tokens, valueDim]);
}

function requireShape(path: string, { name, shape }: StoredTensor, expected: number[]): void {
  if (shape.every((size, i) => size === expected[i])) return;
  throw shapeError(path, name, `[${expected.join(', ')}], as the first layer's q and v say`, shape);
}

function shapeError(path: string, name: string, expected: string, shape: number[]): InputError {
  return inputError(`${name} of ${path}`, expected, shape, {
    code: 'INVALID_SHAPE',
    hint: 'one sequence without a batch dimension; all layers of one shape',
  });
}

function readLayer(layer: number, { q, k, v }: LayerTensors): LayerData {
  const read = (tensor: StoredTensor) => toFloat32(TYPES[tensor.dtype], tensor.read());
  return { layer, query: read(q), key: read(k), value: read(v) };
}
