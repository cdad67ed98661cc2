import { ranges, type RangesSelection } from '@jit-attention/core';
import fc from 'fast-check';

import { type HostArray, range, take } from '../array.js';
import { layOut } from '../paged.js';
import { headsOf } from '../problem.js';
import { shuffled, uniform } from '../random.js';
import type { Runner } from '../runner.js';
import { attend, type Attended, randomSelection } from './attend.js';
import { alike, type Bench, type Results } from './bench.js';
import { type Context, contexts, type Material, materialOf, toleranceFor } from './context.js';
import { type HostListed, type HostSelection, KINDS } from './selections.js';
import { type BackendSuite, property } from './suite.js';

/** Different ways to the same attention. */
export function testEquivalences(runner: Runner, suite: BackendSuite): void {
  const kinds = fc.constantFrom(...KINDS);
  const tolerance = (context: Context, material: Material): number =>
    toleranceFor(context, material, suite.tolerance.f32);
  runner.describe(`${suite.name}: the same attention in another way`, () => {
    const grouped = 'a group is as many kv heads that hold the same';
    property(runner, suite, grouped, [contexts(), kinds], (backend, context, kind) => {
      const material = materialOf(context);
      const selection = randomSelection(context, kind);
      const one = (bench: Bench) => outputs(attend(bench, context, material, { selection }));
      const other = (bench: Bench) => outputs(multiHead(bench, context, material, selection));
      return alike(backend, [one, other], tolerance(context, material));
    });
    const paged = 'pages of another size in another order change nothing';
    property(runner, suite, paged, [contexts(), kinds], (backend, context, kind) => {
      const material = materialOf(context);
      const selection = randomSelection(context, kind);
      const one = (bench: Bench) => attend(bench, context, material, { selection });
      const moved = otherPages(context, material);
      const other = (bench: Bench) => attend(bench, context, moved, { selection });
      return alike(backend, [one, other], tolerance(context, material));
    });
    const merged = 'parts of the entries, merged, are one pass';
    property(runner, suite, merged, [contexts()], (backend, context) => {
      const material = materialOf(context);
      const one = (bench: Bench) => outputs(attend(bench, context, material));
      const other = (bench: Bench) => inParts(bench, context, material);
      return alike(backend, [one, other], tolerance(context, material));
    });
  });
}

/** What does not depend on the number of kv heads. */
function outputs({ output, logSumExp, counts }: Attended): Results {
  counts.dispose();
  return { output, logSumExp };
}

/** Every query head with a kv head of its own. */
function multiHead(
  bench: Bench,
  context: Context,
  material: Material,
  selection: HostSelection,
): Attended {
  const { seed, lengths, pageSize, group, values } = context;
  const owner = range(0, headsOf(context)).map((head) => Math.floor(head / group));
  const [keyRows, valueRows] = [material.keyRows, material.valueRows].map((rows) =>
    take(rows, 1, owner),
  );
  const pages = { pageSize, next: uniform(seed, 'heads') };
  const keys = layOut(keyRows, lengths, pages);
  const own = values === 'key' ? 'keys' : layOut(valueRows, lengths, pages);
  const many = { ...material, keyRows, valueRows, keys, values: own } as const;
  return attend(bench, context, many, { selection: repeated(selection, owner) });
}

/** A selection for each query head; one that serves all heads still does. */
function repeated(selection: HostSelection, owner: readonly number[]): HostSelection {
  switch (selection.kind) {
    case 'all':
      return selection;
    case 'united':
      return { kind: 'united', of: selection.of.map((part) => repeatedPart(part, owner)) };
    default:
      return repeatedPart(selection, owner);
  }
}

function repeatedPart<T extends RangesSelection | HostListed>(
  part: T,
  owner: readonly number[],
): T {
  if (part.kind === 'ranges' || part.shape[1] === 1) return part;
  const ids = takeHeads(part.ids, part.shape, owner);
  const counts = takeHeads(part.counts, part.shape.slice(0, 3), owner);
  return { ...part, ids: ids.data, counts: counts.data, shape: ids.shape };
}

function takeHeads(
  numbers: Int32Array,
  shape: readonly number[],
  heads: readonly number[],
): { shape: readonly number[]; data: Int32Array } {
  const taken: HostArray = take({ shape, data: Float32Array.from(numbers) }, 1, heads);
  return { shape: taken.shape, data: Int32Array.from(taken.data) };
}

function otherPages(context: Context, material: Material): Material {
  const { seed, lengths, values } = context;
  const next = uniform(seed, 'other pages');
  const pages = { pageSize: 1 + Math.floor(12 * next()), next };
  const keys = layOut(material.keyRows, lengths, pages);
  return {
    ...material,
    keys,
    values: values === 'key' ? 'keys' : layOut(material.valueRows, lengths, pages),
  };
}

/** Three runs of entries, the last to the end. */
function inParts(bench: Bench, context: Context, material: Material): Results {
  const next = uniform(context.seed, 'parts');
  const longest = Math.max(...context.lengths);
  const [a, b] = shuffled(longest + 1, next)
    .slice(0, 2)
    .sort((x, y) => x - y);
  const bounds = [0, a ?? 0, b ?? longest, longest];
  const parts = range(0, 3).map((i) =>
    attend(bench, context, material, { selection: ranges([bounds[i], bounds[i + 1]]) }),
  );
  for (const part of parts) for (const tensor of Object.values(part)) bench.keep(tensor);
  return { ...bench.backend.merge(parts) };
}
