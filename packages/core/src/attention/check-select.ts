import type { Backend, SelectRequest } from '../backend.js';
import { headsOf, widthOf } from '../entries.js';
import { type Score, scoredEntries } from '../select.js';
import { blockSizeOf } from '../selection.js';
import type { Tensor } from '../tensor.js';
import { expectEqual, expectOption, expectShape, isWhole } from './expect.js';
import { assertTensor } from './inputs.js';

const WHERE = 'ops.select';

/**
 * Refuses a selection that a backend would compute nonsense from.
 *
 * @throws {InputError} `INVALID_SHAPE`, `INVALID_OPTION`
 * @throws {LifetimeError} `TENSOR_DISPOSED`, `BACKEND_MISMATCH`
 */
export function checkSelect(backend: Backend, request: SelectRequest): void {
  for (const tensor of tensorsOf(request)) assertTensor(backend, WHERE, tensor);
  checkScore(request);
  checkUnits(request);
  checkWithin(request);
  checkPick(request);
}

function tensorsOf({ score, over, within }: SelectRequest): Tensor[] {
  return [
    score.query,
    over.storage,
    scoredEntries(score).storage,
    ...(score.kind === 'bounds' ? [score.max.storage] : []),
    ...(score.kind === 'reluWeighted' ? [score.weights] : []),
    ...(within ? [within.ids, within.counts] : []),
  ];
}

function checkScore({ score, positions }: SelectRequest): void {
  const { shape } = score.query;
  const keys = scoredEntries(score);
  const [batch, width] = [positions.first.length, widthOf(keys)];
  const fits =
    shape.length === 4 && shape[0] === batch && shape[2] === positions.tokens && shape[3] === width;
  const expected = `a query [${batch}, heads, ${positions.tokens}, ${width}], as wide as the keys`;
  expectShape(WHERE, expected, fits, [...shape]);
  expectShape(
    WHERE,
    `keys of ${batch} batch rows`,
    keys.lengths.length === batch,
    keys.lengths.length,
  );
  checkHeads(score);
  if (score.kind === 'bounds') checkBounds(score.min, score.max);
  if (score.kind === 'reluWeighted')
    expectEqual(WHERE, 'weights', [...shape.slice(0, 3), 1], score.weights);
  if (score.kind === 'antidiagonal') checkCells(score.stride, positions.first);
  if ('scale' in score)
    expectOption(WHERE, 'a finite scale', Number.isFinite(score.scale), score.scale);
}

function checkHeads(score: Score): void {
  const [heads, kvHeads] = [score.query.shape[1], headsOf(scoredEntries(score))];
  if (score.kind === 'reluWeighted') {
    expectShape(WHERE, 'keys of one head, as all indexer heads score them', kvHeads === 1, kvHeads);
  } else {
    expectShape(
      WHERE,
      `query heads that are a multiple of ${kvHeads}`,
      heads % kvHeads === 0,
      heads,
    );
  }
}

function checkBounds(min: SelectRequest['over'], max: SelectRequest['over']): void {
  const sizes = ({ lengths, storage: { shape } }: typeof min): number[] => [
    ...lengths,
    shape[1],
    shape[3],
  ];
  const same = sizes(min).join() === sizes(max).join();
  expectShape(WHERE, 'max of the entries, heads and width of min', same, sizes(max));
}

function checkCells(stride: number, first: readonly number[]): void {
  expectOption(WHERE, 'a whole stride from 1', isWhole(stride, 1), stride);
  const whole = first.every((position) => position % stride === 0);
  expectOption(WHERE, `queries that start at a multiple of the stride ${stride}`, whole, [
    ...first,
  ]);
}

function checkUnits({
  score,
  over,
  pool,
  positions,
  block = 1,
  queryBlock = 1,
}: SelectRequest): void {
  expectOption(WHERE, 'a whole block from 1', isWhole(block, 1), block);
  expectOption(WHERE, 'a whole queryBlock from 1', isWhole(queryBlock, 1), queryBlock);
  const rows = positions.first.length;
  expectShape(
    WHERE,
    `entries to select of ${rows} batch rows`,
    over.lengths.length === rows,
    over.lengths.length,
  );
  if (pool) expectOption(WHERE, 'a whole pool.stride from 1', isWhole(pool.stride, 1), pool.stride);
  if (score.kind === 'antidiagonal') {
    const cells = queryBlock % score.stride === 0;
    expectOption(WHERE, `a queryBlock of whole cells of ${score.stride}`, cells, queryBlock);
  }
  const itself = over === scoredEntries(score) && !pool && score.kind !== 'antidiagonal';
  expectOption(
    WHERE,
    `pool or over, as a unit is a block of ${block} entries`,
    !itself || block === 1,
    'neither',
  );
}

function checkWithin({ within, over, positions }: SelectRequest): void {
  if (!within) return;
  const { ids, counts, queryBlock } = within;
  const [rows, heads, blocks] = ids.shape;
  const [batch, kvHeads] = [positions.first.length, headsOf(over)];
  const expected = [batch, `${kvHeads} or 1`, Math.ceil(positions.tokens / queryBlock)];
  const fits = rows === batch && (heads === 1 || heads === kvHeads) && blocks === expected[2];
  expectShape(WHERE, `within.ids [${expected.join(', ')}, capacity]`, fits, [...ids.shape]);
  expectEqual(WHERE, 'within.counts', ids.shape.slice(0, 3), counts);
  expectOption(
    WHERE,
    'a whole within.blockSize from 1',
    isWhole(blockSizeOf(within), 1),
    blockSizeOf(within),
  );
}

function checkPick({ pick }: SelectRequest): void {
  if (pick.kind === 'topp') expectOption(WHERE, 'p above 0', pick.p > 0, pick.p);
  if (pick.kind === 'threshold')
    expectOption(WHERE, 'min to be a number', !Number.isNaN(pick.min), pick.min);
}
