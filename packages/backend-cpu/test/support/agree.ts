import { type Backend, type DType, reference, type Tensor } from '@jit-attention/core';
import { assertClose, tolerances } from '@jit-attention/testkit';

import { normals, sizeOf } from './numbers.js';

/** Makes tensors on one of the two sides, and frees them afterwards. */
export class Table {
  readonly backend: Backend;
  readonly #made: Tensor[] = [];

  constructor(backend: Backend) {
    this.backend = backend;
  }

  /** Standard normal numbers of a seed; two sides with the same seed have the same. */
  normal(shape: readonly number[], seed: number, dtype: DType = 'f32'): Tensor {
    return this.floats(normals(sizeOf(shape), seed), shape, dtype);
  }

  floats(data: Float32Array, shape: readonly number[], dtype: DType = 'f32'): Tensor {
    return this.keep(this.backend.tensor(data, { shape, dtype: dtype as 'f32' }));
  }

  integers(data: Int32Array, shape: readonly number[]): Tensor<'i32'> {
    return this.keep(this.backend.tensor(data, { shape, dtype: 'i32' }));
  }

  zeros(shape: readonly number[], dtype: DType = 'f32'): Tensor {
    return this.keep(this.backend.zeros({ shape, dtype }));
  }

  keep<T extends Tensor>(tensor: T): T {
    this.#made.push(tensor);
    return tensor;
  }

  clear(): void {
    for (const tensor of this.#made.splice(0)) tensor.dispose();
  }
}

/** Named results of some calls. */
export type Results = Readonly<Record<string, Tensor>>;

/**
 * Runs the same on the backend and on the f64 reference and compares what comes out, by the project's table; nothing
 * may be left behind.
 */
export async function agree(
  backend: Backend,
  compute: (table: Table) => Results,
  tolerance: number = tolerances.cpu.f32,
): Promise<void> {
  const [own, right] = [new Table(backend), new Table(reference())];
  try {
    const [found, wanted] = [compute(own), compute(right)];
    for (const tensor of Object.values(found)) own.keep(tensor);
    for (const [name, tensor] of Object.entries(found))
      await assertAlike(name, tensor, wanted[name], tolerance);
  } finally {
    own.clear();
  }
  const { tensors } = backend.memory();
  if (tensors > 0) throw new Error(`expected all tensors to be freed, got ${tensors} still alive`);
}

async function assertAlike(
  name: string,
  actual: Tensor,
  expected: Tensor,
  tolerance: number,
): Promise<void> {
  const { shape, dtype } = expected;
  if (actual.shape.join() !== shape.join())
    throw new Error(`${name}: expected shape [${shape.join()}], got [${actual.shape.join()}]`);
  if (actual.dtype !== dtype) throw new Error(`${name}: expected ${dtype}, got ${actual.dtype}`);
  assertClose(name, await actual.data(), await expected.data(), { tolerance, shape });
}
