import { reference } from '@jit-attention/core';
import fc from 'fast-check';
import { describe, it } from 'vitest';

import { attend, type Attended, randomSelection } from '../../src/backend/attend.js';
import { Bench } from '../../src/backend/bench.js';
import { type Context, contexts, type Material, materialOf } from '../../src/backend/context.js';
import { type Kind, KINDS } from '../../src/backend/selections.js';
import {
  assertClose,
  gated,
  headsOf,
  holds,
  type HostArray,
  type Mask,
  maskOf,
  type Straight,
  straight,
  type StraightBranch,
  tolerances,
} from '../../src/index.js';
import { numbersFor } from '../../src/inputs.js';

const { f32: tolerance } = tolerances.reference;

/** The reference, held to a formula that shares no code with core: a boolean mask, a softmax, a weighted sum. */
describe('reference: attend', () => {
  it.each(KINDS)('%s: the mask they stand for', (kind) =>
    holds([contexts()], async (context) => {
      const { result, branch } = await attended(context, kind);
      await assertStraight(result, straight([branch]));
      const counts = await result.counts.data();
      assertClose('counts', counts, countsOf(branch.mask), { tolerance: 0 });
    }),
  );
});

describe('reference: merge', () => {
  const kinds = fc.tuple(fc.constantFrom(...KINDS), fc.constantFrom(...KINDS));

  it('one softmax over two branches and a sink', () =>
    holds([contexts(), kinds], async (context, kinds) => {
      const bench = new Bench(reference());
      const [one, other] = await Promise.all(kinds.map((kind) => attended(context, kind, bench)));
      const sinks = numbersFor(context, 'sinks', [headsOf(context)]);
      const sinkLogits = bench.tensor(sinks);
      const merged = bench.backend.merge([one.result, other.result], { sinkLogits });
      await assertStraight(merged, straight([one.branch, other.branch], sinks.data));
    }));

  it('gates: each branch with a softmax of its own', () =>
    holds([contexts(), kinds], async (context, kinds) => {
      const bench = new Bench(reference());
      const [one, other] = await Promise.all(kinds.map((kind) => attended(context, kind, bench)));
      const gates: HostArray = numbersFor(context, 'gates', [
        ...one.branch.query.shape.slice(0, 3),
        2,
      ]);
      const parts = [one.result, other.result];
      const merged = bench.backend.merge(parts, { gates: bench.tensor(gates) });
      await assertStraight(merged, gated([one.branch, other.branch], gates));
    }));
});

/** What the reference gives for a random selection, and the branch that the formula is about. */
async function attended(
  context: Context,
  kind: Kind,
  bench: Bench = new Bench(reference()),
): Promise<{ result: Attended; branch: StraightBranch }> {
  const material = materialOf(context);
  const selection = randomSelection(context, kind);
  const { positions } = material;
  const { kvHeads, lengths, visible } = context;
  const mask = await maskOf(bench.selection(selection), { positions, kvHeads, lengths, visible });
  const result = attend(bench, context, material, { selection });
  return { result, branch: branchOf(context, material, mask) };
}

function branchOf(
  { headDim, valueDim, softcap }: Context,
  { query, keyRows: keys, valueRows: values }: Material,
  mask: Mask,
): StraightBranch {
  return { query, keys, values, valueDim, mask, scale: headDim ** -0.5, softcap };
}

async function assertStraight(
  { output, logSumExp }: Pick<Attended, 'output' | 'logSumExp'>,
  expected: Straight,
): Promise<void> {
  assertClose('output', await output.data(), expected.output, { tolerance });
  const sums = await logSumExp.data();
  assertClose('logSumExp', sums, expected.logSumExp, { tolerance, logarithms: true });
}

/** Entries read, `[batch, kvHeads, tokens]`. */
function countsOf({ shape: [batch, kvHeads, tokens, entries], data }: Mask): number[] {
  return Array.from({ length: batch * kvHeads * tokens }, (_, i) =>
    data.subarray(i * entries, (i + 1) * entries).reduce((sum, bit) => sum + bit, 0),
  );
}
