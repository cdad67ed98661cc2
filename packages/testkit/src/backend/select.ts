import type { Backend, BlocksSelection, TokensSelection } from '@jit-attention/core';

import { assertPicked } from '../oracle/pick.js';
import { isProbability } from '../oracle/scores.js';
import { choiceOf, type HostSelect, type ListChoice, listHeads } from '../oracle/select.js';
import type { Runner } from '../runner.js';
import { Bench } from './bench.js';
import { type Context, contexts } from './context.js';
import { selectCase } from './select-cases.js';
import { type ScoreName, SCORES } from './select-scores.js';
import { type BackendSuite, property } from './suite.js';

/** `select`: every score, every way to reduce it, every pick, held to the scores themselves. */
export function testSelect(runner: Runner, suite: BackendSuite): void {
  runner.describe(`${suite.name}: select`, () => {
    for (const name of SCORES) {
      property(runner, suite, `picks by ${name}`, [contexts()], (backend, context) =>
        picks(backend, name, context, suite.tolerance.f32),
      );
    }
  });
}

async function picks(
  backend: Backend,
  name: ScoreName,
  context: Context,
  tolerance: number,
): Promise<void> {
  const { host, requestOn } = await selectCase(name, context);
  const bench = new Bench(backend);
  const selection = backend.select(requestOn(bench));
  bench.keep(selection.ids);
  bench.keep(selection.counts);
  assertForm(selection, host);
  const [ids, counts] = await Promise.all([selection.ids.data(), selection.counts.data()]);
  const [, heads, blocks, capacity] = selection.ids.shape;
  const isExact = context.numbers === 'whole' && !isProbability(host.score);
  counts.forEach((count, list) => {
    const [row, head] = [Math.floor(list / (heads * blocks)), Math.floor(list / blocks) % heads];
    const choice = choiceOf(host, row, head, list % blocks) ?? NOTHING;
    const picked = [...ids.subarray(list * capacity, list * capacity + count)];
    const gap = isExact ? 0 : tolerance * largest(choice);
    const place = `row ${row}, head ${head}, query block ${list % blocks}`;
    assertPicked(place, picked, choice, host.pick, gap);
  });
  bench.clear();
}

/** Where all queries of a block are padding. */
const NOTHING: ListChoice = { choices: [{ scores: [], eligible: [] }], forced: [] };

function assertForm(selection: BlocksSelection | TokensSelection, host: HostSelect): void {
  const { positions, queryBlock, block } = host;
  const blocks = Math.ceil(positions.tokens / queryBlock);
  const lists = [positions.first.length, listHeads(host), blocks];
  const expect = (what: string, actual: unknown, expected: unknown): void => {
    if (String(actual) !== String(expected))
      throw new Error(`${what}: expected ${String(expected)}, got ${String(actual)}`);
  };
  expect('kind', selection.kind, block === 1 ? 'tokens' : 'blocks');
  if (selection.kind === 'blocks') expect('blockSize', selection.blockSize, block);
  expect('queryBlock', selection.queryBlock, queryBlock);
  expect('shape of ids', selection.ids.shape.slice(0, 3), lists);
  expect('shape of counts', selection.counts.shape, lists);
}

/** The largest score, which rounding errors grow with. */
function largest({ choices }: ListChoice): number {
  const scores = choices.flatMap((choice) => choice.scores).filter(Number.isFinite);
  return Math.max(1, ...scores.map(Math.abs));
}
