import { type Inputs, type Matrix, matrix, type Rows } from './inputs.js';
import { headsOf, type Place, type Problem } from './problem.js';
import { attendTo, best, clear, dot, softmax, span, sum } from './straight.js';

/** φ as the paper has it: a position embedding is added, then Linear, ReLU, Linear. */
export interface StraightPhi {
  /** `[kvHeads][length][width]` */
  readonly embeddings: readonly Matrix[];
  readonly hidden: { readonly weight: Matrix; readonly bias: readonly number[] };
  readonly out: { readonly weight: Matrix; readonly bias: readonly number[] };
}

export interface StraightNsaOptions {
  readonly length: number;
  readonly stride: number;
  readonly block: number;
  readonly blocks: number;
  readonly window: number;
  readonly phi: { readonly keys: StraightPhi; readonly values: StraightPhi };
}

type Reader = Pick<Place, 'row' | 'kvHead' | 'position'>;

/** NSA's formulas (arXiv 2502.11089), a query at a time; indices count from 0. */
export class StraightNsa {
  readonly #problem: Problem;
  readonly #inputs: Inputs;
  readonly #options: StraightNsaOptions;
  readonly #scale: number;
  readonly #made = new Map<string, Matrix>();

  constructor(problem: Problem, inputs: Inputs, options: StraightNsaOptions) {
    this.#problem = problem;
    this.#inputs = inputs;
    this.#options = options;
    this.#scale = problem.headDim ** -0.5;
  }

  /** Entries of the selected branch, ascending. */
  selected({ row, kvHead, position }: Reader): number[] {
    const { block, blocks } = this.#options;
    const current = Math.floor(position / block);
    const heads = span(0, headsOf(this.#problem)).filter(
      (head) => Math.floor(head / this.#problem.group) === kvHead,
    );
    const probabilities = heads.map((head) => this.#probabilities({ row, head, kvHead, position }));
    const score = (j: number): number => sum(probabilities.map((p) => this.#blockScore(p, j)));
    const forced = [0, current - 1, current];
    // Spans that φ makes equal (all of ReLU is 0) give blocks that are equal but for rounding.
    const ids = clear(best(score, span(0, current + 1), blocks, forced), { ties: false });
    return span(0, position + 1).filter((entry) => ids.includes(Math.floor(entry / block)));
  }

  /** Spans that end at or before the query. */
  visibleSpans(position: number): number[] {
    const { stride, length } = this.#options;
    return span(0, position + 1).filter((i) => stride * i + length - 1 <= position);
  }

  window(position: number): number[] {
    return span(0, position + 1).filter((entry) => entry > position - this.#options.window);
  }

  /** `selected`: the entries to read in full, if not the query's own choice. */
  output(place: Place, selected: readonly number[] = this.selected(place)): number[] {
    const { aux, query } = this.#inputs;
    const outputs = [
      attendTo(this.visibleSpans(place.position), {
        query: this.#at(aux.spanQuery, place),
        keys: this.#compressed('spanKey', 'keys', place),
        values: this.#compressed('spanValue', 'values', place),
        ...this.#sizes,
      }),
      this.#read(selected, query, this.#inputs.key, this.#inputs.value!, place),
      this.#read(this.window(place.position), query, aux.windowKey, aux.windowValue, place),
    ];
    const gates = this.#at(aux.gates, place);
    return outputs[0].map((_, d) => sum(outputs.map((output, i) => gates[i] * output[d])));
  }

  get #sizes(): { scale: number; width: number } {
    return { scale: this.#scale, width: this.#problem.valueDim };
  }

  #read(ids: readonly number[], query: Rows, key: Rows, value: Rows, place: Place): number[] {
    const { row, kvHead } = place;
    return attendTo(ids, {
      query: this.#at(query, place),
      keys: matrix(key, this.#problem, row, kvHead),
      values: matrix(value, this.#problem, row, kvHead),
      ...this.#sizes,
    });
  }

  #at(rows: Rows, { row, head, position }: Place): readonly number[] {
    return matrix(rows, this.#problem, row, head)[position];
  }

  #probabilities(place: Place): number[] {
    const query = this.#at(this.#inputs.aux.spanQuery, place);
    const keys = this.#compressed('spanKey', 'keys', place);
    const visible = this.visibleSpans(place.position);
    return softmax(visible.map((i) => this.#scale * dot(query, keys[i])));
  }

  /** `Σ_{m<a} Σ_{n<b} P[a j + m - n]`, out of range 0. */
  #blockScore(probabilities: readonly number[], j: number): number {
    const { block, length, stride } = this.#options;
    const [a, b] = [block / stride, length / stride];
    let score = 0;
    for (let m = 0; m < a; m++)
      for (let n = 0; n < b; n++) score += probabilities[a * j + m - n] ?? 0;
    return score;
  }

  /** φ of every whole span of a context, made once. */
  #compressed(name: string, which: 'keys' | 'values', { row, kvHead }: Reader): Matrix {
    const key = `${name}, ${row}, ${kvHead}`;
    const { length, stride, phi } = this.#options;
    const rows = matrix(this.#inputs.aux[name], this.#problem, row, kvHead);
    const made =
      this.#made.get(key) ??
      this.visibleSpans(rows.length - 1).map((i) =>
        apply(phi[which], kvHead, rows.slice(stride * i, stride * i + length)),
      );
    this.#made.set(key, made);
    return made;
  }
}

function apply({ embeddings, hidden, out }: StraightPhi, kvHead: number, rows: Matrix): number[] {
  const flat = rows.flatMap((row, t) => row.map((value, d) => value + embeddings[kvHead][t][d]));
  const middle = hidden.weight.map((row, i) => Math.max(0, dot(row, flat) + hidden.bias[i]));
  return out.weight.map((row, i) => dot(row, middle) + out.bias[i]);
}
