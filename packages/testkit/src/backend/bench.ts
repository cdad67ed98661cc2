import {
  type Backend,
  type DType,
  type Entries,
  reference,
  type Selection,
  type Tensor,
} from '@jit-attention/core';

import type { HostArray } from '../array.js';
import { assertClose } from '../compare.js';
import type { HostEntries } from '../paged.js';
import type { HostSelection } from './selections.js';

export type FloatType = Exclude<DType, 'i32'>;

/** Puts host data on a backend, and clears the table afterwards. */
export class Bench {
  readonly backend: Backend;
  /** Whether this is the side that is right. */
  readonly isReference: boolean;
  readonly #made: Tensor[] = [];

  constructor(backend: Backend, isReference = false) {
    this.backend = backend;
    this.isReference = isReference;
  }

  /** Frees a tensor with the bench. */
  keep<T extends Tensor>(tensor: T): T {
    this.#made.push(tensor);
    return tensor;
  }

  tensor({ data, shape }: HostArray, dtype: FloatType = 'f32'): Tensor<FloatType> {
    return this.keep(this.backend.tensor<FloatType>(data, { shape, dtype }));
  }

  integers(data: Int32Array, shape: readonly number[]): Tensor<'i32'> {
    return this.keep(this.backend.tensor(data, { shape, dtype: 'i32' }));
  }

  entries(entries: HostEntries, dtype: FloatType = 'f32'): Entries {
    return { ...entries, storage: this.tensor(entries.storage, dtype) };
  }

  selection(selection: HostSelection): Selection {
    if (selection.kind === 'united') {
      const of = selection.of.map((part) => this.selection(part));
      return { kind: 'united', of: of as Extract<Selection, { kind: 'united' }>['of'] };
    }
    if (!('ids' in selection)) return selection;
    const { ids, counts, shape, ...rest } = selection;
    const held = {
      ids: this.integers(ids, shape),
      counts: this.integers(counts, shape.slice(0, 3)),
    };
    return { ...rest, ...held };
  }

  clear(): void {
    for (const tensor of this.#made.splice(0)) tensor.dispose();
  }
}

/** Named results of some calls. */
export type Results = Record<string, Tensor>;
export type Compute = (bench: Bench) => Results;

/**
 * Runs the same calls on the backend and on the f64 reference, and compares every result: floats within
 * `tolerance` (`logSumExp` as logarithms), integers exactly.
 */
export function agree(backend: Backend, compute: Compute, tolerance: number): Promise<void> {
  return assertAlike(
    [new Bench(backend), compute],
    [new Bench(reference(), true), compute],
    tolerance,
  );
}

/** Two ways to the same results, on one backend. */
export function alike(
  backend: Backend,
  [one, other]: readonly [Compute, Compute],
  tolerance: number,
): Promise<void> {
  return assertAlike([new Bench(backend), one], [new Bench(backend), other], tolerance);
}

async function assertAlike(
  [actual, compute]: readonly [Bench, Compute],
  [expected, formula]: readonly [Bench, Compute],
  tolerance: number,
): Promise<void> {
  const [found, wanted] = [compute(actual), formula(expected)];
  for (const [name, tensor] of Object.entries(found))
    await assertTensor(name, tensor, wanted[name], tolerance);
  for (const tensor of Object.values(found)) tensor.dispose();
  for (const tensor of Object.values(wanted)) tensor.dispose();
  actual.clear();
  expected.clear();
}

async function assertTensor(
  name: string,
  actual: Tensor,
  expected: Tensor,
  tolerance: number,
): Promise<void> {
  const { shape, dtype } = expected;
  if (actual.shape.join() !== shape.join())
    throw new Error(`${name}: expected shape [${shape.join()}], got [${actual.shape.join()}]`);
  if (actual.dtype !== dtype) throw new Error(`${name}: expected ${dtype}, got ${actual.dtype}`);
  assertClose(name, await actual.data(), await expected.data(), {
    tolerance: dtype === 'i32' ? 0 : tolerance,
    logarithms: name === 'logSumExp',
    shape,
  });
}
