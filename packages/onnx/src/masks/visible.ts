import type { RuntimeTensor } from '../runtime.js';
import type { Mask } from '../site.js';
import { toFloats } from '../run/tensors.js';

/** Added to a logit, nothing is left of it: `e^-1000` is 0. */
const HIDES = -1000;

/** Which keys a mask lets a query see: asked for one query of one batch row. Undefined where it weighs them. */
export type Visible = (row: number, query: number, key: number) => boolean | undefined;

/** What a mask says, read off the tensor that the graph made; undefined where its shape has no meaning here. */
export function readMask(
  { kind, hides = false }: Mask,
  { type, dims, data }: RuntimeTensor,
  { batch, keys }: { batch: number; keys: number },
): Visible | undefined {
  const numbers = numbersOf({ type, data });
  const isKinds = kind !== 'logits' && dims.length === 1;
  if (isKinds || kind === 'lengths' || kind === 'last') {
    if (numbers.length !== batch) return undefined;
    const more = kind === 'last' ? 1 : 0;
    return (row, _, key) => key < numbers[row] + more;
  }
  if (kind === 'keys') {
    if (dims.length !== 2 || dims[1] !== keys) return undefined;
    return (row, _, key) => numbers[(row % dims[0]) * keys + key] !== 0;
  }
  return readLogits(numbers, dims, type === 'bool', hides);
}

/** `[B, H, T, N]`, or broadcast to it; all heads have to be told the same. */
function readLogits(
  numbers: ArrayLike<number>,
  dims: readonly number[],
  chooses: boolean,
  hides: boolean,
): Visible | undefined {
  if (dims.length > 4) return undefined;
  const [rows, heads, queries, keys] = [...new Array<number>(4 - dims.length).fill(1), ...dims];
  const at = (row: number, head: number, query: number, key: number): number =>
    numbers[
      (((row % rows) * heads + head) * queries + (queries === 1 ? 0 : query)) * keys +
        (keys === 1 ? 0 : key)
    ];
  const see = (value: number): boolean | undefined => {
    if (chooses) return (value !== 0) !== hides;
    if (value <= HIDES) return false;
    return value === 0 ? true : undefined;
  };
  return (row, query, key) => {
    const first = see(at(row, 0, query, key));
    for (let head = 1; head < heads; head++)
      if (see(at(row, head, query, key)) !== first) return undefined;
    return first;
  };
}

function numbersOf({ type, data }: Pick<RuntimeTensor, 'type' | 'data'>): ArrayLike<number> {
  if (type.startsWith('float')) return toFloats({ type, data });
  return Array.from(data as ArrayLike<number | bigint>, Number);
}
