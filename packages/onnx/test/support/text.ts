import { readModelConfig } from '@jit-attention/reference-model';

const { vocab_size: vocabulary } = readModelConfig();

/** Token ids, the same for the same seed; none of the special ones. */
export function textOf(length: number, seed = 1): number[] {
  let state = seed;
  return Array.from({ length }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return 2 + (state % (vocabulary - 2));
  });
}

/** A step of one text. */
export const idsOf = (
  ids: readonly number[],
): { input_ids: { dims: number[]; data: number[] } } => ({
  input_ids: { dims: [1, ids.length], data: [...ids] },
});
