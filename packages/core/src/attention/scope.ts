import type { AttendRequest, AttendResult, Backend, Ops, SelectRequest } from '../backend.js';
import type { Entries } from '../entries.js';
import type { Positions } from '../positions.js';
import type { Bound } from '../bound.js';
import { scoredEntries } from '../select.js';
import type { BlocksSelection, TokensSelection } from '../selection.js';
import type { StepOps } from '../strategy.js';
import type { Tensor } from '../tensor.js';
import { assertBudget } from './budget.js';
import { checkedOps } from './check-ops.js';
import { checkSelect } from './check-select.js';
import { type Cost, selectCost } from './cost.js';

/** Everything made while a step is planned and run; what is not taken out is freed when it closes. */
export class Scope {
  readonly cost: Cost = { flops: 0, bytes: 0 };
  readonly #backend: Backend;
  readonly #tensors = new Set<Tensor>();

  constructor(backend: Backend) {
    this.#backend = backend;
  }

  track<T extends Tensor>(tensor: T): T {
    this.#tensors.add(tensor);
    return tensor;
  }

  /** Hands a tensor over to the caller; false when it was not made here. */
  take(tensor: Tensor): boolean {
    return this.#tensors.delete(tensor);
  }

  close(): void {
    for (const tensor of this.#tensors) tensor.dispose();
    this.#tensors.clear();
  }

  get ops(): Ops {
    const checked = checkedOps(this.#backend);
    const track = <T extends Tensor>(tensor: T): T => this.track(tensor);
    return {
      slice: (...args) => track(checked.slice(...args)),
      permute: (...args) => track(checked.permute(...args)),
      gather: (tensor, picks) => track(checked.gather(tensor, picks)),
      pool: (...args) => track(checked.pool(...args)),
      linear: (...args) => track(checked.linear(...args)),
      norm: (...args) => track(checked.norm(...args)),
      rotary: (...args) => track(checked.rotary(...args)),
      hadamard: (...args) => track(checked.hadamard(...args)),
      quantise: (...args) => track(checked.quantise(...args)),
      merge: (...args) => {
        const merged = checked.merge(...args);
        return { output: track(merged.output), logSumExp: track(merged.logSumExp) };
      },
    };
  }

  /** Ops with `select`, for a step at these positions. */
  stepOps(step: { positions: Positions; visible: Bound | undefined }): StepOps {
    return {
      ...this.ops,
      select: (spec) => {
        const { positions } = step;
        const over: Entries = spec.over ?? scoredEntries(spec.score);
        const request: SelectRequest = {
          ...spec,
          over,
          positions,
          visible: spec.visible ?? step.visible,
        };
        return this.#select(request);
      },
    };
  }

  attend(request: AttendRequest): AttendResult {
    const result = this.#backend.attend(request);
    this.track(result.output);
    this.track(result.logSumExp);
    this.track(result.counts);
    return result;
  }

  #select(request: SelectRequest): BlocksSelection | TokensSelection {
    checkSelect(this.#backend, request);
    assertBudget(request);
    const { flops, bytes } = selectCost(request);
    this.cost.flops += flops;
    this.cost.bytes += bytes;
    const selection = this.#backend.select(request);
    this.track(selection.ids);
    this.track(selection.counts);
    return selection;
  }
}
