import {
  assertKnown,
  assertWhole,
  type Backend,
  inputError,
  ModelError,
} from '@jit-attention/core';

import { type CutModel, cutModel, type CutOptions } from '../build/cut-model.js';
import { engineOf } from '../build/engine.js';
import { makeLayer } from '../build/layers.js';
import type { LoadedModel } from '../load/load.js';
import type { VerifyOptions } from '../model.js';
import { makeBridge } from '../run/bridge.js';
import type { AttentionSite } from '../site.js';
import { pass, type Passed, type Shown } from './passes.js';

export interface VerifySite extends CutOptions {
  readonly loaded: LoadedModel;
  readonly backend: Backend;
  readonly isDecoder: boolean;
}

/** How far outputs may be apart, as a share of the largest. f16 has 11 bits, and layers to lose them in. */
const TOLERANCES = { f32: 1e-3, f16: 2e-2 };

/**
 * Compares a model in pieces, its attention dense, with the original.
 *
 * @throws {ModelError} `MODEL_MISMATCH`, with the first layer that differs
 */
export async function verify(
  site: VerifySite,
  cut: CutModel,
  options: VerifyOptions,
): Promise<void> {
  assertKnown('adopt: verify', options, ['tokens', 'tolerance', 'original']);
  const sites = cut.places.map((place) => place.site);
  const { tokens = 32, tolerance = TOLERANCES[sites[0].dtype], original } = options;
  assertWhole('adopt: verify', 'tokens', tokens, { min: 2 });
  if (!(tolerance > 0)) throw inputError('adopt: verify', 'tolerance above 0', tolerance);
  const ours = await pass(dense(site, cut), tokens, site.isDecoder);
  const whole = await cutModel(site.loaded, [], { ...site, opened: original });
  try {
    const theirs = await pass(dense(site, whole), tokens, site.isDecoder);
    const worst = firstApart(ours, theirs, tolerance);
    if (!worst) return;
    const layer = await firstLayerApart(site, sites, tokens, tolerance);
    throw mismatch(site.loaded.graph.file, { ...worst, tolerance, layer });
  } finally {
    await whole.open.release();
  }
}

/** Every attention of ours reads all there is; the cache is exact. */
function dense({ runtime, backend, session = {}, loaded }: VerifySite, cut: CutModel): Passed {
  const bridge = makeBridge(runtime, backend, session);
  const site = { bridge, graph: loaded.graph, backend };
  const layers = cut.places.map((place) => makeLayer(site, place, undefined, {}));
  return { engine: engineOf(cut, layers), layers, left: cut.left };
}

interface Apart {
  readonly name: string;
  /** As a share of the original's largest value. */
  readonly difference: number;
}

/** The first output of the first step that differs by more than it may. */
function firstApart(ours: Shown[][], theirs: Shown[][], tolerance: number): Apart | undefined {
  for (const [i, outputs] of theirs.entries()) {
    for (const { name, data } of outputs) {
      const own = ours[i].find((shown) => shown.name === name)!;
      const difference = differenceOf(own.data, data);
      if (!(difference <= tolerance)) return { name, difference };
    }
  }
  return undefined;
}

/** The largest difference over the largest value; not a number where one side alone is none. */
function differenceOf(ours: Float32Array, theirs: Float32Array): number {
  let difference = 0;
  let largest = 0;
  for (let i = 0; i < theirs.length; i++) {
    if (Object.is(ours[i], theirs[i])) continue;
    const apart = Math.abs(ours[i] - theirs[i]);
    if (!(apart <= difference)) difference = apart;
    largest = Math.max(largest, Math.abs(theirs[i]));
    if (Number.isNaN(difference)) return NaN;
  }
  return difference === 0 ? 0 : difference / largest;
}

/** Runs both anew with the outputs of all attentions shown. */
async function firstLayerApart(
  site: VerifySite,
  sites: readonly AttentionSite[],
  tokens: number,
  tolerance: number,
): Promise<AttentionSite | undefined> {
  const shown = sites.map(({ output }) => output.name);
  const passes: Shown[][][] = [];
  for (const some of [sites, []]) {
    const cut = await cutModel(site.loaded, some, { ...site, shown });
    try {
      passes.push(await pass(dense(site, cut), tokens, site.isDecoder));
    } finally {
      await cut.open.release();
    }
  }
  const [ours, theirs] = passes.map((steps) => steps.map((one) => inOrder(one, shown)));
  const first = firstApart(ours, theirs, tolerance);
  return sites.find(({ output }) => output.name === first?.name);
}

const inOrder = (outputs: readonly Shown[], names: readonly string[]): Shown[] =>
  names.map((name) => outputs.find((shown) => shown.name === name)!);

function mismatch(
  file: string,
  {
    name,
    difference,
    tolerance,
    layer,
  }: Apart & { tolerance: number; layer?: AttentionSite | undefined },
): ModelError {
  const where = layer
    ? `layer ${layer.layer}, ${layer.kind} '${layer.node.name}', is the first that differs`
    : 'no attention differs by itself';
  const shares = `expected ${name} of the original within ${tolerance} of its largest value`;
  return new ModelError(`${file}: ${shares}, got ${difference.toPrecision(2)}; ${where}`, {
    code: 'MODEL_MISMATCH',
    expected: tolerance,
    actual: difference,
    hint: layer
      ? `leave the layer to ONNX Runtime (leave: [${layer.layer}]) and report the model`
      : 'report the model; verify: false takes it as it is',
  });
}
