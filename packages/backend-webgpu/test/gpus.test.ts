import { all, fromQuery, ranges, topk, unite } from '@jit-attention/core';
import { testSelect, tolerances } from '@jit-attention/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { create } from 'webgpu';

import type { WebGpuBackend } from '../src/index.js';
import { webgpu } from '../src/index.js';
import {
  assertSame,
  attend,
  BASE,
  blocksIn,
  type Case,
  entriesOf,
  tokensIn,
  wave,
} from './support/attention.js';
import { asOn, hasAdapter, NO_ADAPTER } from './support/backends.js';

/** Kernels differ by what a GPU can do: these are other than those of an adapter of software, on which tests run. */
const CASES: Readonly<Record<string, Partial<Case>>> = {
  'a decoder step, its entries shared': {},
  'a decoder step of grouped heads': { heads: 8, kvHeads: 2 },
  'a prefill': { tokens: 90, entries: 150 },
  'a prefill of i8 in ranges': {
    ...{ tokens: 70, entries: 150, dtype: 'i8' },
    selection: () => ranges([0, 4], [fromQuery(-15), fromQuery(1)]),
  },
  'a prefill of f16 by tokens': {
    ...{ tokens: 90, entries: 150, dtype: 'f16', width: 64 },
    selection: (on) => tokensIn(on, [4, 80]),
  },
  'a prefill by all kinds': {
    ...{ tokens: 90, entries: 150, width: 20 },
    selection: (on) => unite(ranges([0, 3]), tokensIn(on, [3, 90]), blocksIn(on)),
  },
  'wide heads that share one kv head': { heads: 16, tokens: 3, entries: 70, width: 576 },
};

const found = await hasAdapter();

describe.skipIf(!found)(
  found ? 'as on a GPU without subgroups' : `as on a GPU (${NO_ADAPTER})`,
  () => {
    const able = { features: new Set<string>(), subgroup: [32, 32] } as const;
    let owner: WebGpuBackend;
    beforeAll(async () => void (owner = await webgpu()));
    afterAll(async () => owner.dispose());

    it.each(Object.entries(CASES))('attends: %s', async (_, one) =>
      assertSame(asOn(able, owner.device), { ...BASE, selection: () => all, ...one }),
    );
    testSelect(
      { describe, it },
      {
        name: 'webgpu',
        factory: () => asOn(able, owner.device),
        tolerance: tolerances.webgpu,
        cases: 5,
      },
    );
  },
);

// It computes nothing and checks every kernel: what adapters of software do not have is compiled at least.
async function select(backend: WebGpuBackend, kind: 'dot' | 'softmax'): Promise<void> {
  const keys = entriesOf(backend, BASE, 0.11);
  const query = backend.tensor(wave(8 * 16, 0.7), { shape: [1, 2, 4, 16] });
  const { ids } = backend.select({
    score: { kind, query, keys, scale: 1 },
    over: keys,
    positions: { first: [1496], counts: [4], tokens: 4 },
    pick: topk(8),
  });
  await ids.data();
}

/** Must stay alive. */
const nothing = create(['backend=null']);

describe("on Dawn's null adapter", () => {
  it.each([8, 16, 32, 64])('compiles kernels for subgroups of %d', async (size) => {
    const adapter = await nothing.requestAdapter();
    const { device } = await webgpu({ adapter: adapter! });
    const backend = asOn({ subgroup: [size, size] }, device);
    expect(device.features).toContain('subgroups');
    for (const one of Object.values(CASES)) await attend(backend, { ...BASE, ...one });
    for (const kind of ['dot', 'softmax'] as const) await select(backend, kind);
    await backend.dispose();
    device.destroy();
  });
});
