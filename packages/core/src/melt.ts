import { type Branch, valuesOf } from './plan.js';
import { unite } from './selection.js';
import type { Step } from './strategy.js';

/** What the branches of a step default to. */
export type Defaults = Pick<Step, 'query' | 'keys' | 'values' | 'visible' | 'layer'>;

/**
 * The branches of one softmax, those that read the same melted into one: an entry that two of them select would
 * count twice in the sum otherwise.
 */
export function melt(branches: readonly Branch[], defaults: Defaults): Branch[] {
  const melted: Branch[] = [];
  for (const branch of branches) {
    const same = melted.findIndex(
      (other) => readTheSame(other, branch, defaults) && seeTheSame(other, branch, defaults),
    );
    if (same < 0) melted.push(branch);
    else melted[same] = { ...branch, selection: unite(melted[same].selection, branch.selection) };
  }
  return melted;
}

/** The same logits and values, defaults spelled out or not. */
export function readTheSame(a: Branch, b: Branch, defaults: Defaults): boolean {
  const { query, layer } = defaults;
  return (
    keysIn(a, defaults) === keysIn(b, defaults) &&
    valuesIn(a, defaults) === valuesIn(b, defaults) &&
    (a.query ?? query) === (b.query ?? query) &&
    (a.scale ?? layer.scale) === (b.scale ?? layer.scale)
  );
}

/** The same bound of what a query sees. */
export function seeTheSame(a: Branch, b: Branch, { visible }: Defaults): boolean {
  return JSON.stringify(a.visible ?? visible) === JSON.stringify(b.visible ?? visible);
}

function keysIn({ keys }: Branch, defaults: Defaults): Step['keys'] {
  return keys === 'cache' ? defaults.keys : keys;
}

function valuesIn(branch: Branch, defaults: Defaults): Step['values'] {
  const values = valuesOf(branch);
  if (values === 'cache') return defaults.values;
  return values === 'keys' ? keysIn(branch, defaults) : values;
}
