import { inputError, LifetimeError } from '@jit-attention/core';
import type {
  AdoptedModel,
  RuntimeTensor,
  RuntimeValue,
  SequenceOfModel,
} from '@jit-attention/onnx';

import { Context, type Point } from './context.js';
import { type Columns, firstColumns, noColumns, tokensOf } from './padding.js';
import type { LoadedRuntime } from './runtime.js';

/**
 * The caches that transformers.js passes around, and what they stand for.
 *
 * transformers.js keeps tensors, takes longer ones from each step, and disposes of the old ones if they are on the
 * GPU. It is given a single tensor that claims to be on the GPU, has the sizes of a cache and no data: a fresh one each
 * step, for the point that a context has got to. A step that goes on from the newest point of a context appends
 * to it; see {@link Context.at} for an older one. Points whose tensors are disposed of, or cannot be reached any more,
 * are let go.
 */
export class Caches {
  readonly #model: AdoptedModel;
  readonly #Tensor: LoadedRuntime['Tensor'];
  readonly #live = new Set<Context>();
  readonly #points = new WeakMap<object, Point>();
  readonly #unreachable: FinalizationRegistry<Point> = new FinalizationRegistry(letGo);

  constructor(model: AdoptedModel, { Tensor }: LoadedRuntime) {
    this.#model = model;
    this.#Tensor = Tensor;
  }

  /** What the tensors look like; `batch_size` is the one symbol that transformers.js fills in, others become 0. */
  get metadata(): Omit<RuntimeValue, 'name'> {
    const [{ kvHeads, headDim }] = this.#model.layers;
    const shape = ['batch_size', kvHeads, 'past_sequence_length', headDim];
    return { isTensor: true, type: 'float32', shape };
  }

  /** Contexts that are held, and their bytes. */
  get held(): { readonly contexts: number; readonly bytes: number } {
    const bytes = [...this.#live].reduce((sum, { sequence }) => sum + sequence.bytes, 0);
    return { contexts: this.#live.size, bytes };
  }

  /**
   * Goes on from a tensor of a cache: `step` is given a context that has got to that point, appends to it, and says
   * which columns there are then. Gives what `step` gave, and a tensor for the new point.
   *
   * @throws {LifetimeError} `SEQUENCE_DISPOSED` for a tensor that was disposed of
   * @throws {InputError} `UNSUPPORTED` for a cache that is not of this model
   * @throws {CacheError} `ROLLBACK_EXCEEDED` when the strategy has let go what an older point would read
   */
  async goOn<T extends { readonly columns: Columns }>(
    past: RuntimeTensor,
    step: (sequence: SequenceOfModel, columns: Columns) => Promise<T>,
  ): Promise<T & { readonly present: RuntimeTensor }> {
    const { context, columns } = this.#pointOf(past) ?? this.#begin(past);
    // Held by us as well: the tensor may be disposed of while the step is under way.
    const held = context.hold(columns);
    try {
      return await context.inOrder(async () => {
        const reached = context.at(columns);
        try {
          const result = await step(reached.sequence, columns);
          return { ...result, present: this.#tensor(reached.hold(result.columns)) };
        } finally {
          reached.endUnlessHeld();
        }
      });
    } finally {
      context.letGo(held);
    }
  }

  /**
   * A tensor for a context of its own that shares the past of another's, or its first so many columns.
   *
   * @throws as {@link Caches.goOn}
   */
  fork(tensor: RuntimeTensor, count: number = lengthOf(tensor)): Promise<RuntimeTensor> {
    const point = this.#pointOf(tensor);
    if (!point) throw notOurs(tensor);
    const { context } = point;
    const columns = firstColumns(point.columns, count);
    const lengths = columns.padding.map((_, row) => tokensOf(columns, row));
    return context.inOrder(() => this.#tensor(context.fork(lengths).hold(columns)));
  }

  /** Ends all contexts; no step may be under way. */
  dispose(): void {
    for (const context of this.#live) context.end();
  }

  /** Undefined for the empty tensors that transformers.js begins with. */
  #pointOf(tensor: RuntimeTensor): Point | undefined {
    const point = this.#points.get(tensor);
    if (!point && lengthOf(tensor) > 0) throw notOurs(tensor);
    if (point && !point.context.holds(point)) throw disposed();
    return point;
  }

  #begin({ dims: [batch] }: RuntimeTensor): Pick<Point, 'context' | 'columns'> {
    const context = new Context(this.#model.sequence({ batch }), this.#live);
    return { context, columns: noColumns(batch) };
  }

  #tensor(point: Point): RuntimeTensor {
    const [{ kvHeads, headDim }] = this.#model.layers;
    const { count, padding } = point.columns;
    const refuse = () => (point.context.holds(point) ? noData() : disposed());
    const tensor = this.#Tensor.fromGpuBuffer(
      {},
      {
        dataType: 'float32',
        dims: [padding.length, kvHeads, count, headDim],
        dispose: () => letGo(point),
        download: () => Promise.reject(refuse()),
      },
    );
    Object.defineProperty(tensor, 'data', {
      get: () => {
        throw refuse();
      },
    });
    this.#points.set(tensor, point);
    this.#unreachable.register(tensor, point);
    return tensor;
  }
}

const letGo = (point: Point): void => point.context.letGo(point);

const lengthOf = ({ dims }: RuntimeTensor): number => dims.at(-2)!;

function notOurs(tensor: RuntimeTensor): Error {
  return inputError(
    'generate',
    'a cache that this model has filled since it was adopted',
    `another one, of ${lengthOf(tensor)} tokens`,
    { code: 'UNSUPPORTED', hint: 'begin with an empty cache: new DynamicCache()' },
  );
}

function noData(): Error {
  return inputError(
    'cache',
    'no look into the cache of an adopted model',
    'a request for its data',
    {
      code: 'UNSUPPORTED',
      hint: 'keys and values are in the backend; to copy a cache use fork() of the handle',
    },
  );
}

function disposed(): Error {
  return new LifetimeError('generate: expected a live cache, got a disposed one', {
    code: 'SEQUENCE_DISPOSED',
    expected: 'a live cache',
    actual: 'a disposed one',
    hint: 'a step disposes of the tensors that it went on from: to go on twice, fork() the cache first',
  });
}
