import {
  type AttentionStrategy,
  fromQuery,
  type Handoff,
  inputError,
  type Plan,
  ranges,
  type Step,
} from '@jit-attention/core';

/** What all layers of a stack have in common. */
export interface Csa2Layer {
  /** Tokens an entry. */
  ratio: number;
  /** Newest tokens that are read as they are, the query's own included. */
  window: number;
  /** Entries a query reads besides. */
  budget: number;
  indexHeads: number;
  indexWidth: number;
}

/** A later layer of DeepSeek-V4.1 that reads an earlier one's entries, by the selection made last. */
export function csa2Reuse(layer: Csa2Layer): AttentionStrategy {
  return { ...csa2Base('csa2-reuse', layer), plan: (step) => readEntries(handed(step), layer) };
}

/** `entries`: `compressed`, `indexKeys`; `selections`: `chosen`, which is read, and `candidates`, if any. */
export type Handed = { [K in keyof Handoff]-?: NonNullable<Handoff[K]> };

export function csa2Base(name: string, { window }: Csa2Layer): Omit<AttentionStrategy, 'plan'> {
  return {
    name,
    apiVersion: 1,
    supports: { exact: false, sync: true, bidirectional: false },
    dead: (length) => [[0, length + 1 - window]],
  };
}

/** Reads the chosen entries beside the window, and hands everything on. */
export function readEntries(handoff: Handed, { ratio, window }: Csa2Layer): Plan {
  const { compressed: keys } = handoff.entries;
  const { chosen: selection } = handoff.selections;
  return {
    branches: [
      { keys: 'cache', selection: ranges([fromQuery(1 - window), fromQuery(1)]) },
      { keys, selection, visible: fromQuery(1, ratio) },
    ],
    handoff,
  };
}

/** What the plan of an earlier layer hands on. */
export function handed({ from }: Step): Handed {
  const { entries, selections } = from?.plan.handoff ?? {};
  if (entries?.compressed && selections?.chosen) return { entries, selections };
  throw inputError('csa2', "an earlier layer's plan as `from`", from ? 'another plan' : 'none', {
    code: 'MISSING_INPUT',
    hint: 'give it the plan that the layer before kept (keepPlan: true)',
  });
}
