import { assertWhole } from '@jit-attention/core';

import type { Runtime, RuntimeFeeds, RuntimeTensor } from '../runtime.js';
import type { StepInputs } from './step-inputs.js';
import { joinTensors, lastRows, sliceTensor } from './tensors.js';

/** Which rows of a step's outputs are asked for. */
export interface WantedRows {
  /** Computed for all batch rows: those of the step's last so many columns. */
  readonly computed: number;
  /** Where batch rows end at different columns: each one's last `count` of its `ends` columns. */
  readonly picked: { readonly count: number; readonly ends: readonly number[] } | undefined;
}

/** @throws {InputError} `INVALID_OPTION` */
export function rowsOf(
  where: string,
  logits: number | 'all',
  { tokens, lengths }: StepInputs,
): WantedRows {
  if (logits === 'all') return { computed: tokens, picked: undefined };
  assertWhole(where, 'logits', logits, { min: 0 });
  const shortest = Math.min(...lengths);
  if (shortest === tokens || logits === 0)
    return { computed: Math.min(logits, tokens), picked: undefined };
  const computed = Math.min(tokens, tokens - shortest + logits);
  const ends = lengths.map((length) => length - (tokens - computed));
  return { computed, picked: { count: logits, ends } };
}

/** Gathers the outputs of a step's chunks: the rows that are asked for, one chunk behind the other. */
export class Outputs {
  readonly #runtime: Runtime;
  readonly #parts = new Map<string, RuntimeTensor[]>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** `rows`: how many of the chunk's last tokens are asked for. */
  add(
    outputs: ReadonlyMap<string, RuntimeTensor>,
    { tokens, rows }: { tokens: number; rows: number },
  ): void {
    for (const [name, tensor] of outputs) {
      const isOfTokens = tensor.dims.length >= 3 && tensor.dims[1] === tokens;
      if (rows === 0) tensor.dispose();
      else if (isOfTokens && rows < tokens) this.#add(name, this.#last(tensor, rows));
      else this.#add(name, tensor);
    }
  }

  finish({ picked }: WantedRows): RuntimeFeeds {
    const finished = [...this.#parts].map(([name, parts]): [string, RuntimeTensor] => {
      const tensor = this.#join(parts);
      const isOfTokens = tensor.dims.length >= 3;
      return [name, picked && isOfTokens ? lastRows(this.#runtime, tensor, picked) : tensor];
    });
    return Object.fromEntries(finished);
  }

  #add(name: string, tensor: RuntimeTensor): void {
    const parts = this.#parts.get(name);
    if (parts) parts.push(tensor);
    else this.#parts.set(name, [tensor]);
  }

  #last(tensor: RuntimeTensor, rows: number): RuntimeTensor {
    const end = tensor.dims[1];
    const last = sliceTensor(this.#runtime, tensor, { axis: 1, start: end - rows, end });
    tensor.dispose();
    return last;
  }

  /** What has no tokens is that of the last chunk. */
  #join(parts: readonly RuntimeTensor[]): RuntimeTensor {
    const last = parts.at(-1)!;
    return last.dims.length >= 3 ? joinTensors(this.#runtime, parts, 1) : last;
  }
}
