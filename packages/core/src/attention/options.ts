import type { Backend } from '../backend.js';
import type { DType } from '../dtype.js';
import { assertKnown, assertOneOf, assertWhole } from '../check.js';
import { assertPlugin, assertStrategy } from '../check-strategy.js';
import { inputError } from '../errors.js';
import type { AttentionStrategy, Layer } from '../strategy.js';

export interface AttentionOptions {
  backend: Backend;
  strategy: AttentionStrategy;
  /** Query heads. */
  heads: number;
  /** Key/value heads; divides `heads`. Default `heads` (multi-head attention). */
  kvHeads?: number | undefined;
  /** Width of queries and keys, 1 to 576. */
  headDim: number;
  /** Width of values and output, 1 to 576. Default `headDim`. */
  valueDim?: number | undefined;
  /** Factor of `q · k`. Default `headDim ** -0.5`. */
  scale?: number | undefined;
  /** `'key'`: each value is the first `valueDim` channels of its key, stored and read once. Default `'own'`. */
  values?: 'own' | 'key' | undefined;
  /** Axis order of inputs and output: `[batch, heads, tokens, width]` (default) or `[batch, tokens, heads, width]`. */
  layout?: 'bhtd' | 'bthd' | undefined;
  /** How the cache of a sequence stores keys and values. Default `'f32'`. */
  storage?: 'f32' | 'f16' | 'i8' | undefined;
  /** Entries a page. Default 64. */
  pageSize?: number | undefined;
  /** Queries that are planned and run at a time. Default 512. */
  queryChunk?: number | undefined;
  /** Tokens a sequence can be truncated by, where a strategy lets old entries go. Default 256. */
  rollback?: number | undefined;
  /** One learned logit for each query head, not scaled, that only enlarges the softmax's denominator. */
  sinkLogits?: Float32Array | readonly number[] | undefined;
  /** `softcap * tanh(logit / softcap)`. Default: none. */
  softcap?: number | undefined;
}

/** The options of an attention object, checked and complete. */
export interface Site {
  readonly backend: Backend;
  readonly strategy: AttentionStrategy;
  readonly layer: Layer;
  readonly values: 'own' | 'key';
  readonly layout: 'bhtd' | 'bthd';
  readonly storage: DType;
  readonly sinkLogits: Float32Array | undefined;
}

const WHERE = 'createAttention';
const OPTIONS: readonly (keyof AttentionOptions)[] = [
  'backend',
  'strategy',
  'heads',
  'kvHeads',
  'headDim',
  'valueDim',
  'scale',
  'values',
  'layout',
  'storage',
  'pageSize',
  'queryChunk',
  'rollback',
  'sinkLogits',
  'softcap',
];
const LARGEST_WIDTH = 576;

export function resolveOptions(options: AttentionOptions): Site {
  assertKnown(WHERE, options, OPTIONS);
  const { backend, strategy, values = 'own', layout = 'bhtd', storage = 'f32' } = options;
  assertPlugin(WHERE, 'backend', backend, 'attend');
  assertStrategy(WHERE, strategy);
  assertNames(strategy);
  const layer = layerOf(options);
  assertOneOf(WHERE, 'values', values, ['own', 'key']);
  assertOneOf(WHERE, 'layout', layout, ['bhtd', 'bthd']);
  assertOneOf(WHERE, 'storage', storage, ['f32', 'f16', 'i8']);
  const { headDim, valueDim } = layer;
  if (values === 'key' && valueDim > headDim) {
    fail(`valueDim of at most headDim ${headDim}, as values are a prefix of the keys`, valueDim);
  }
  const sinkLogits = sinkLogitsOf(options);
  strategy.validate?.(layer);
  return { backend, strategy, layer, values, layout, storage, sinkLogits };
}

function layerOf(options: AttentionOptions): Layer {
  const { heads, kvHeads = heads, headDim, valueDim = headDim, softcap } = options;
  const { pageSize = 64, queryChunk = 512, rollback = 256 } = options;
  assertWhole(WHERE, 'heads', heads, { min: 1 });
  assertWhole(WHERE, 'kvHeads', kvHeads, { min: 1 });
  if (heads % kvHeads !== 0) fail(`heads to be a multiple of kvHeads ${kvHeads}`, heads);
  assertWhole(WHERE, 'headDim', headDim, { min: 1, max: LARGEST_WIDTH });
  assertWhole(WHERE, 'valueDim', valueDim, { min: 1, max: LARGEST_WIDTH });
  assertWhole(WHERE, 'pageSize', pageSize, { min: 1 });
  assertWhole(WHERE, 'queryChunk', queryChunk, { min: 1 });
  assertWhole(WHERE, 'rollback', rollback, { min: 0 });
  const { scale = headDim ** -0.5 } = options;
  assertPositive('scale', scale);
  if (softcap !== undefined) assertPositive('softcap', softcap);
  const sizes = { heads, kvHeads, headDim, valueDim, pageSize, queryChunk, rollback };
  return { ...sizes, scale, softcap };
}

function assertPositive(name: string, value: number): void {
  if (!(Number.isFinite(value) && value > 0)) fail(`${name} to be finite and above 0`, value);
}

function sinkLogitsOf({ sinkLogits, heads }: AttentionOptions): Float32Array | undefined {
  if (!sinkLogits) return undefined;
  if (sinkLogits.length !== heads) fail(`${heads} sinkLogits, one a head`, sinkLogits.length);
  const logits = Float32Array.from(sinkLogits);
  if (logits.some(Number.isNaN)) fail('sinkLogits to be numbers', NaN);
  return logits;
}

function fail(expected: string, actual: unknown): never {
  throw inputError(WHERE, expected, actual);
}

/** `keys` and `values` are the cache's own rows, see `Appended.rows`. */
function assertNames({ name, requires = {} }: AttentionStrategy): void {
  const taken = ['keys', 'values'].find((reserved) => reserved in requires);
  if (taken === undefined) return;
  fail(`auxiliary tensors of other names than keys and values, required by ${name}`, taken);
}
