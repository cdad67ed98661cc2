import type { AttendRequest } from '../backend.js';
import type { Span } from '../bound.js';
import { headsOf } from '../entries.js';
import { visibleAt } from '../positions.js';
import { countOf, spansOf } from '../reading.js';
import { floatsOf, integersOf, rowOffsets } from './storage.js';

/** Plain arrays: `output [B, H, T, Dv]`, `logSumExp [B, H, T]`, `counts [B, G, T]`. */
export interface Attended {
  readonly output: Float64Array;
  readonly logSumExp: Float64Array;
  readonly counts: Int32Array;
}

/** Softmax attention as one would write it on paper, over what each query selects. */
export function attend(request: AttendRequest): Attended {
  const { query, keys, valueDim, positions, selection, visible } = request;
  const [batch, heads, tokens] = query.shape;
  const kvHeads = headsOf(keys);
  const group = heads / kvHeads;
  const output = new Float64Array(batch * heads * tokens * valueDim);
  const logSumExp = new Float64Array(batch * heads * tokens).fill(-Infinity);
  const counts = new Int32Array(batch * kvHeads * tokens);

  for (let row = 0; row < batch; row++) {
    for (let kvHead = 0; kvHead < kvHeads; kvHead++) {
      const read = headReader(request, row, kvHead);
      for (let token = 0; token < positions.counts[row]; token++) {
        const position = positions.first[row] + token;
        const seen = visibleAt(visible, position, keys.lengths[row]);
        const spans = spansOf(
          selection,
          { row, token, position, visible: seen },
          kvHead,
          integersOf,
        );
        counts[(row * kvHeads + kvHead) * tokens + token] = countOf(spans);
        for (let head = kvHead * group; head < (kvHead + 1) * group; head++) {
          const at = (row * heads + head) * tokens + token;
          logSumExp[at] = read(at, spans, output.subarray(at * valueDim, (at + 1) * valueDim));
        }
      }
    }
  }
  return { output, logSumExp, counts };
}

/** Attends with one query row to spans of one kv head; adds into `output`, returns the log-sum-exp. */
function headReader(
  request: AttendRequest,
  row: number,
  kvHead: number,
): (query: number, spans: readonly Span[], output: Float64Array) => number {
  const { query, keys, values, valueDim, scale, softcap } = request;
  const width = query.shape[3];
  const [q, k] = [floatsOf(query), floatsOf(keys.storage)];
  const keyAt = rowOffsets(keys, row, kvHead);
  const v = values === 'keys' ? k : floatsOf(values.storage);
  const valueAt = values === 'keys' ? keyAt : rowOffsets(values, row, kvHead);

  return (at, spans, output) => {
    const logits = new Float64Array(countOf(spans));
    let largest = -Infinity;
    each(spans, (n, i) => {
      const logit = scale * dot(q, at * width, k, keyAt(n), width);
      logits[i] = softcap === undefined ? logit : softcap * Math.tanh(logit / softcap);
      if (logits[i] > largest) largest = logits[i];
    });
    if (largest === -Infinity) return emptyUnlessNaN(logits, output);
    // A logit of +Infinity takes all the mass, shared with its equals.
    const weight = (logit: number): number => (logit === largest ? 1 : Math.exp(logit - largest));
    let sum = 0;
    each(spans, (n, i) => {
      const share = weight(logits[i]);
      sum += share;
      const start = valueAt(n);
      for (let d = 0; d < valueDim; d++) output[d] += share * v[start + d];
    });
    for (let d = 0; d < valueDim; d++) output[d] /= sum;
    return largest + Math.log(sum);
  };
}

/** Nothing read, or only logits of -Infinity: zeros; NaN logits spread. */
function emptyUnlessNaN(logits: Float64Array, output: Float64Array): number {
  if (!logits.some(Number.isNaN)) return -Infinity;
  output.fill(NaN);
  return NaN;
}

function each(spans: readonly Span[], visit: (n: number, i: number) => void): void {
  let i = 0;
  for (const [start, end] of spans) for (let n = start; n < end; n++) visit(n, i++);
}

export function dot(
  a: Float64Array,
  aStart: number,
  b: Float64Array,
  bStart: number,
  width: number,
): number {
  let sum = 0;
  for (let d = 0; d < width; d++) sum += a[aStart + d] * b[bStart + d];
  return sum;
}
