import type { KnownTensor } from './encode.js';
import { SIZES } from './tiny-llama.js';

const { layers, heads, kvHeads, headDim, epsilon, theta } = SIZES;

/**
 * The logits of all tokens, `[ids.length][vocabulary]`, in f64 and plain loops, with the tensors as they lie in
 * the GGUF file: llama.cpp turns neighbours, values 2i and 2i + 1 of a head, by position / theta ** (2i / headDim).
 */
export function straightLogits(
  tensors: readonly KnownTensor[],
  ids: readonly number[],
): number[][] {
  const named = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const get = (name: string) => named.get(`${name}.weight`)!;
  const table = matrix(get('token_embd'));
  let x = ids.map((id) => table[id]);
  for (let layer = 0; layer < layers; layer++) {
    const part = (name: string) => get(`blk.${layer}.${name}`);
    const n = x.map((row) => norm(row, part('attn_norm')));
    const q = n.map((row, position) => rotate(times(part('attn_q'), row), position));
    const k = n.map((row, position) => rotate(times(part('attn_k'), row), position));
    const v = n.map((row) => times(part('attn_v'), row));
    x = x.map((row, t) => plus(row, times(part('attn_output'), attend(q[t], k, v, t))));
    x = x.map((row) => plus(row, feedForward(part, norm(row, part('ffn_norm')))));
  }
  const head = named.get('output.weight') ?? get('token_embd');
  return x.map((row) => times(head, norm(row, get('output_norm'))));
}

function feedForward(part: (name: string) => KnownTensor, x: number[]): number[] {
  const up = times(part('ffn_up'), x);
  const gated = times(part('ffn_gate'), x).map((g, i) => (g / (1 + Math.exp(-g))) * up[i]);
  return times(part('ffn_down'), gated);
}

/** One query row, all heads, over the tokens up to `t`. */
function attend(q: number[], k: number[][], v: number[][], t: number): number[] {
  const out: number[] = [];
  for (let head = 0; head < heads; head++) {
    const query = q.slice(head * headDim, (head + 1) * headDim);
    const from = Math.floor(head / (heads / kvHeads)) * headDim;
    const scores = k.slice(0, t + 1).map((row) => dot(query, row.slice(from, from + headDim)));
    const weights = scores.map((score) => Math.exp(score / Math.sqrt(headDim)));
    const total = weights.reduce((a, b) => a + b);
    for (let i = 0; i < headDim; i++) {
      out.push(weights.reduce((sum, weight, j) => sum + weight * v[j][from + i], 0) / total);
    }
  }
  return out;
}

function rotate(row: number[], position: number): number[] {
  const out = [...row];
  for (let even = 0; even < row.length; even += 2) {
    const angle = position / theta ** ((even % headDim) / headDim);
    out[even] = row[even] * Math.cos(angle) - row[even + 1] * Math.sin(angle);
    out[even + 1] = row[even] * Math.sin(angle) + row[even + 1] * Math.cos(angle);
  }
  return out;
}

function norm(x: number[], { values }: KnownTensor): number[] {
  const scale = 1 / Math.sqrt(dot(x, x) / x.length + epsilon);
  return x.map((value, i) => value * scale * values[i]);
}

function matrix({ shape: [rows, columns], values }: KnownTensor): number[][] {
  return Array.from({ length: rows }, (_, row) =>
    Array.from(values.subarray(row * columns, (row + 1) * columns)),
  );
}

const times = (weights: KnownTensor, x: number[]): number[] =>
  matrix(weights).map((row) => dot(row, x));
const dot = (a: number[], b: number[]): number =>
  a.reduce((sum, value, i) => sum + value * b[i], 0);
const plus = (a: number[], b: number[]): number[] => a.map((value, i) => value + b[i]);
