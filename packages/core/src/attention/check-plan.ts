import type { Bound, Interval } from '../bound.js';
import type { Entries } from '../entries.js';
import { headsOf, widthOf } from '../entries.js';
import { PlanError } from '../errors.js';
import { type Branch, type Plan, planTensors, valuesOf } from '../plan.js';
import type { Positions } from '../positions.js';
import type { Selection } from '../selection.js';
import { Tensor } from '../tensor.js';
import { isList } from './expect.js';
import { assertTensor } from './inputs.js';
import type { Site } from './options.js';

/** The chunk of a call that a plan is for. */
export interface Planned {
  readonly where: string;
  readonly site: Site;
  /** The cache. */
  readonly keys: Entries;
  readonly positions: Positions;
}

type Invalid = (expected: string, actual: unknown) => never;

/**
 * Structure and shapes of a plan, before a backend sees it.
 * @throws {PlanError} `PLAN_INVALID`
 * @throws {LifetimeError} `TENSOR_DISPOSED`, `BACKEND_MISMATCH` for what the plan names
 */
export function assertPlan(plan: Plan, chunk: Planned): void {
  const { where, site, positions } = chunk;
  const { heads } = site.layer;
  const invalid: Invalid = (expected, actual) => {
    const got = Array.isArray(actual) ? `[${actual.join(', ')}]` : String(actual);
    const details = { code: 'PLAN_INVALID', expected, actual } as const;
    throw new PlanError(`${where}: expected ${expected}, got ${got}`, details);
  };
  if (!isList(plan?.branches) || plan.branches.length === 0)
    invalid('a plan with at least one branch', plan?.branches);
  for (const branch of plan.branches) assertBranch(branch, chunk, invalid);
  if (plan.gates !== undefined && !Tensor.is(plan.gates))
    invalid('gates to be a tensor', plan.gates);
  if (plan.gates && site.sinkLogits) invalid('sinkLogits in one softmax', 'a plan with gates');
  const gates = [positions.first.length, heads, positions.tokens, plan.branches.length];
  if (plan.gates && plan.gates.shape.join() !== gates.join()) {
    invalid(`gates [${gates.join(', ')}]`, plan.gates.shape);
  }
  for (const tensor of planTensors(plan)) assertTensor(site.backend, `${where}: plan`, tensor);
}

function assertBranch(branch: Branch, chunk: Planned, invalid: Invalid): void {
  const { site, positions, keys: cache } = chunk;
  const { heads, headDim, valueDim } = site.layer;
  const asking = [positions.first.length, heads, positions.tokens];
  if (typeof branch !== 'object' || branch === null) invalid('a branch, an object', branch);
  const { query, scale, visible, selection } = branch;
  if (query !== undefined && !Tensor.is(query)) invalid('a branch query to be a tensor', query);
  if (query && query.shape.slice(0, 3).join() !== asking.join()) {
    invalid(`a branch query [${asking.join(', ')}, headDim]`, query.shape);
  }
  const keys = branch.keys === 'cache' ? cache : branch.keys;
  if (branch.keys !== 'cache') assertEntries('keys', keys, chunk, invalid);
  const width = query?.shape[3] ?? headDim;
  if (widthOf(keys) !== width) invalid(`keys as wide as the query, ${width}`, widthOf(keys));

  const values = valuesOf(branch);
  if (values === 'cache' && branch.keys !== 'cache' && site.values === 'key')
    invalid("values 'keys' or entries, as the cache has no values of its own", "'cache'");
  if (values === 'keys') {
    if (widthOf(keys) < valueDim)
      invalid(`keys with ${valueDim} channels of values`, widthOf(keys));
  } else {
    if (values !== 'cache') assertEntries('values', values, chunk, invalid);
    const own = values === 'cache' ? cache : values;
    if (own.lengths.join() !== keys.lengths.join())
      invalid(`a value for each key, ${keys.lengths.join('/')} entries`, own.lengths);
    if (values !== 'cache' && widthOf(values) !== valueDim)
      invalid(`values of valueDim ${valueDim}`, widthOf(values));
  }
  if (scale !== undefined && !Number.isFinite(scale)) invalid('a finite scale', scale);
  if (visible !== undefined) assertBound(visible, invalid);
  assertSelection(selection, chunk, invalid);
}

function assertEntries(
  what: string,
  entries: Entries,
  { site, positions }: Planned,
  invalid: Invalid,
): void {
  const [batch, { kvHeads }] = [positions.first.length, site.layer];
  if (!Tensor.is(entries?.storage)) invalid(`${what}: 'cache' or entries`, entries);
  if (entries.tables?.length !== batch || entries.lengths?.length !== batch)
    invalid(`${what} of ${batch} batch rows`, entries.lengths?.length);
  if (entries.storage.shape.length !== 4 || headsOf(entries) !== kvHeads)
    invalid(`${what} [pages, ${kvHeads}, pageSize, width]`, entries.storage.shape);
}

function assertBound(bound: Bound, invalid: Invalid): void {
  const ok =
    typeof bound === 'number'
      ? !Number.isNaN(bound)
      : Number.isInteger(bound?.offset) && Number.isInteger(bound.stride) && bound.stride >= 1;
  if (!ok) invalid('a bound: a number or { offset, stride }, whole, stride from 1', bound);
}

function assertSelection(selection: Selection, chunk: Planned, invalid: Invalid): void {
  switch (selection?.kind) {
    case 'all':
      return;
    case 'ranges':
      return assertRanges(selection.ranges, invalid);
    case 'united':
      if (!isList(selection.of)) invalid('the parts of a united selection', selection.of);
      for (const part of selection.of) assertSelection(part, chunk, invalid);
      return;
    case 'blocks':
    case 'tokens':
      return assertListed(selection, chunk, invalid);
    default:
      invalid(
        'a selection (all, ranges, blocks, tokens, united)',
        (selection as { kind?: unknown } | undefined)?.kind,
      );
  }
}

function assertRanges(ranges: readonly Interval[], invalid: Invalid): void {
  const pairs = isList(ranges) && ranges.every((one) => isList(one) && one.length === 2);
  if (!pairs) invalid('ranges, a list of [start, end]', ranges);
  for (const bound of ranges.flat()) assertBound(bound, invalid);
}

function assertListed(
  selection: Extract<Selection, { queryBlock: number }>,
  { site, positions }: Planned,
  invalid: Invalid,
): void {
  const { ids, counts, queryBlock } = selection;
  const [batch, { kvHeads }] = [positions.first.length, site.layer];
  for (const size of [queryBlock, selection.kind === 'blocks' ? selection.blockSize : 1])
    if (!(Number.isInteger(size) && size >= 1)) invalid('block sizes that are whole, from 1', size);
  for (const tensor of [ids, counts])
    if (!Tensor.is(tensor)) invalid('ids and counts to be tensors', tensor);
  for (const { dtype } of [ids, counts]) if (dtype !== 'i32') invalid('i32 ids and counts', dtype);
  const blocks = Math.ceil(positions.tokens / queryBlock);
  const [rows, heads, queryBlocks] = ids.shape;
  if (rows !== batch || (heads !== 1 && heads !== kvHeads) || queryBlocks !== blocks) {
    invalid(`ids [${batch}, ${kvHeads} or 1, ${blocks}, capacity]`, ids.shape);
  }
  if (counts.shape.join() !== ids.shape.slice(0, 3).join()) {
    invalid(`counts [${ids.shape.slice(0, 3).join(', ')}]`, counts.shape);
  }
}
