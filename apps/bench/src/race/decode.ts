import type { Contender, Runner } from './contender.js';
import { attentionOf, contenderOf, lapOf, backendOf, type Own } from './ours.js';
import { noise } from './shape.js';

/** One decoder step that makes the context `tokens` long: an entry is appended, and one query asks. */
export function decode(own: Own): Contender {
  return contenderOf(own, 1, () => startDecode(own));
}

async function startDecode(own: Own): Promise<Runner> {
  const { tokens } = own;
  const backend = await backendOf(own);
  const sequence = attentionOf(own, backend).sequence({ capacity: tokens });
  (await sequence.attend(stepOf(own, tokens - 1, 1))).dispose();
  const step = stepOf(own, 1, 4);
  return {
    async run() {
      sequence.truncate(tokens - 1);
      return lapOf(() => sequence.attend(step));
    },
    async dispose() {
      sequence.dispose();
      await backend.dispose?.();
    },
  };
}

type Step = Record<'query' | 'key', Float32Array> & { value?: Float32Array | undefined };

/** A query, and so many keys and values. */
function stepOf(
  { heads, kvHeads, headDim, valueDim, values }: Own,
  count: number,
  seed: number,
): Step {
  const query = noise(heads * headDim, seed);
  const key = noise(kvHeads * count * headDim, seed + 1);
  if (values === 'key') return { query, key };
  return { query, key, value: noise(kvHeads * count * valueDim, seed + 2) };
}
