import type {
  Backend,
  LinearOptions,
  NormOptions,
  Ops,
  PoolPart,
  PoolRequest,
  RotaryOptions,
} from '../backend.js';
import { headsOf, widthOf } from '../entries.js';
import { inputError } from '../errors.js';
import type { Tensor } from '../tensor.js';
import { expectEqual, expectOption, expectShape, isWhole } from './expect.js';
import { assertTensor } from './inputs.js';

/**
 * The primitives of a backend as a strategy is given them. A call that no backend could carry out, but would compute
 * nonsense from, is refused, in the same words on every backend.
 *
 * @throws {InputError} `INVALID_SHAPE`, `INVALID_OPTION`, `MISSING_INPUT`
 * @throws {LifetimeError} `TENSOR_DISPOSED`, `BACKEND_MISMATCH`
 */
export function checkedOps(backend: Backend): Ops {
  const live = (where: string, ...tensors: (Tensor | undefined)[]): void => {
    for (const tensor of tensors) if (tensor) assertTensor(backend, where, tensor);
  };
  return {
    slice(tensor, options) {
      live('ops.slice', tensor);
      checkSlice(tensor, options);
      return backend.slice(tensor, options);
    },
    permute(tensor, order) {
      live('ops.permute', tensor);
      checkPermute(tensor, order);
      return backend.permute(tensor, order);
    },
    gather(tensor, picks) {
      live('ops.gather', tensor);
      checkGather(tensor, picks);
      return backend.gather(tensor, picks);
    },
    merge(parts, options) {
      live('ops.merge', ...parts.flatMap(({ output, logSumExp }) => [output, logSumExp]));
      live('ops.merge', options?.gates, options?.sinkLogits);
      checkMerge(parts, options);
      return backend.merge(parts, options);
    },
    pool(request) {
      for (const { values, logits } of request.parts)
        live('ops.pool', values.storage, logits?.storage);
      checkPool(request);
      return backend.pool(request);
    },
    linear(x, options) {
      live('ops.linear', x, options.weight, options.bias);
      checkLinear(x, options);
      return backend.linear(x, options);
    },
    norm(x, options) {
      live('ops.norm', x, options.weight, options.bias);
      checkNorm(x, options);
      return backend.norm(x, options);
    },
    rotary(x, options) {
      live('ops.rotary', x);
      checkRotary(x, options);
      return backend.rotary(x, options);
    },
    hadamard(x) {
      live('ops.hadamard', x);
      expectShape(
        'ops.hadamard',
        'a width that is a power of two',
        isPowerOfTwo(widthOfRows(x)),
        widthOfRows(x),
      );
      return backend.hadamard(x);
    },
    quantise(x, options) {
      live('ops.quantise', x);
      expectOption('ops.quantise', 'bits 4 or 8', [4, 8].includes(options.bits), options.bits);
      return backend.quantise(x, options);
    },
  };
}

const isPowerOfTwo = (value: number): boolean => value >= 1 && (value & (value - 1)) === 0;
const widthOfRows = (x: Tensor): number => x.shape.at(-1) ?? 0;
const isRange = ([start, end]: readonly [number, number], length: number): boolean =>
  isWhole(start, 0, length) && isWhole(end, start, length);

function checkSlice(
  { shape }: Tensor,
  { axis, start, end }: { axis: number; start: number; end: number },
): void {
  expectShape(
    'ops.slice',
    `an axis from 0 to ${shape.length - 1}`,
    isWhole(axis, 0, shape.length - 1),
    axis,
  );
  const what = `start and end inside the ${shape[axis]} of axis ${axis}`;
  expectShape('ops.slice', what, isRange([start, end], shape[axis]), [start, end]);
}

function checkPermute({ shape }: Tensor, order: readonly number[]): void {
  const ascending = [...order].sort((a, b) => a - b);
  const axes = shape.map((_, axis) => axis);
  expectShape(
    'ops.permute',
    `each axis ${axes.join(', ')} once`,
    ascending.join() === axes.join(),
    [...order],
  );
}

function checkGather(
  { shape }: Tensor,
  picks: readonly (readonly [row: number, token: number])[],
): void {
  expectShape('ops.gather', '[batch, heads, tokens, ...]', shape.length >= 3, [...shape]);
  const [batch, , tokens] = shape;
  for (const [row, token] of picks) {
    const ok = isWhole(row, 0, batch - 1) && isWhole(token, 0, tokens - 1);
    expectShape('ops.gather', `picks [row, token] inside ${batch} rows of ${tokens} tokens`, ok, [
      row,
      token,
    ]);
  }
}

function checkMerge(...[parts, options = {}]: Parameters<Ops['merge']>): void {
  const { gates, sinkLogits } = options;
  expectOption('ops.merge', 'at least one part', parts.length >= 1, parts.length);
  expectOption('ops.merge', 'gates or sinkLogits', !(gates && sinkLogits), 'both');
  const { shape } = parts[0].output;
  for (const { output, logSumExp } of parts) {
    expectEqual('ops.merge', 'outputs', shape, output);
    expectEqual('ops.merge', 'logSumExp', shape.slice(0, 3), logSumExp);
  }
  if (gates) expectEqual('ops.merge', 'gates', [...shape.slice(0, 3), parts.length], gates);
  if (sinkLogits) expectEqual('ops.merge', 'sinkLogits', [shape[1]], sinkLogits);
}

function checkPool({ kind, parts, stride, first, count }: PoolRequest): void {
  expectOption('ops.pool', 'at least one part', parts.length >= 1, parts.length);
  expectOption('ops.pool', 'a whole stride from 1', isWhole(stride, 1), stride);
  expectOption('ops.pool', 'a whole count from 0', isWhole(count, 0), count);
  for (const part of parts) checkPart(kind, part, parts[0]);
  const batch = parts[0].values.tables.length;
  const ok = first.length === batch && first.every((group) => isWhole(group, 0));
  expectShape('ops.pool', `the first group of each of ${batch} batch rows`, ok, [...first]);
}

function checkPart(kind: PoolRequest['kind'], part: PoolPart, one: PoolPart): void {
  const { values, logits, start, length, channels } = part;
  expectOption('ops.pool', 'a whole start', Number.isInteger(start), start);
  expectOption('ops.pool', 'a whole length from 1', isWhole(length, 1), length);
  const sizes = (of: PoolPart): number[] => [
    of.values.tables.length,
    headsOf(of.values),
    channelsOf(of),
  ];
  const same = sizes(part).join() === sizes(one).join();
  expectShape(
    'ops.pool',
    `parts of one batch, heads and width [${sizes(one).join(', ')}]`,
    same,
    sizes(part),
  );
  const width = widthOf(values);
  expectShape(
    'ops.pool',
    `channels inside ${width}`,
    !channels || isRange(channels, width),
    channels,
  );
  if (kind !== 'softmax') return;
  if (!logits)
    throw inputError('ops.pool', 'logits for softmax', 'none', { code: 'MISSING_INPUT' });
  const shape = [...values.lengths, headsOf(values), width];
  const own = [...logits.lengths, headsOf(logits), widthOf(logits)];
  expectShape('ops.pool', 'logits of the shape of the values', own.join() === shape.join(), own);
}

function channelsOf({ values, channels: [start, end] = [0, widthOf(values)] }: PoolPart): number {
  return end - start;
}

function checkLinear(x: Tensor, { weight, bias }: LinearOptions): void {
  const width = widthOfRows(x);
  const fits = weight.shape.length === 2 && weight.shape[1] === width;
  expectShape('ops.linear', `weight [out, ${width}], as the rows are ${width} wide`, fits, [
    ...weight.shape,
  ]);
  const perHead = bias?.shape.length === 2;
  if (perHead)
    expectShape('ops.linear', 'four axes for a bias per head', x.shape.length === 4, [...x.shape]);
  const outputs = weight.shape[0];
  if (bias) expectEqual('ops.linear', 'bias', perHead ? [x.shape[1], outputs] : [outputs], bias);
}

function checkNorm(x: Tensor, { eps, weight, bias }: NormOptions): void {
  const width = widthOfRows(x);
  expectOption('ops.norm', 'a finite eps from 0', Number.isFinite(eps) && eps >= 0, eps);
  if (weight) expectEqual('ops.norm', 'weight', [width], weight);
  if (bias) expectEqual('ops.norm', 'bias', [width], bias);
}

function checkRotary({ shape }: Tensor, { frequencies, first, channels }: RotaryOptions): void {
  expectShape('ops.rotary', '[batch, heads, tokens, width]', shape.length === 4, [...shape]);
  const [batch, , , width] = shape;
  const [start, end] = channels ?? [0, width];
  expectShape('ops.rotary', `channels inside ${width}`, isRange([start, end], width), [start, end]);
  const ok = frequencies.length * 2 === end - start;
  expectShape(
    'ops.rotary',
    `a frequency for each of the ${(end - start) / 2} pairs`,
    ok,
    frequencies.length,
  );
  expectShape(
    'ops.rotary',
    `first of each of ${batch} batch rows`,
    first.length === batch,
    first.length,
  );
}
