import type { AdoptedModel } from '@jit-attention/onnx';

import type { ResultRow } from '../../output/results.js';
import type { Case } from '../../race/case.js';
import { NOT_MEASURED } from '../rows.js';
import { argmax } from '../statistics.js';
import type { Bay } from './bay.js';
import type { Uncut } from './uncut.js';

/** A check and its rows, which are shown as those of a case that is timed. */
export interface Checked {
  readonly case: Case;
  readonly rows: readonly ResultRow[];
}

export interface SameOptions {
  readonly bay: Bay;
  /** Of onnxruntime-web, where it is tried as well: its memory has no room for large weights. */
  readonly web: Bay | undefined;
  /** Tokens to generate. */
  readonly tokens: number;
  readonly at: (share: number, doing?: string) => void;
}

/** Tokens whose logits are compared. */
const COMPARED = 512;
const PROMPT = 64;

/** Whether the adopted model says what the uncut one says: logits, and greedy tokens, in both packages. */
export async function checkSame(options: SameOptions): Promise<Checked> {
  const { bay, tokens, at } = options;
  const [uncut, model] = [await bay.uncut(), await bay.adopted('dense')];
  const difference = await logitsDifference(bay, uncut, model);
  at(0.2, 'greedy tokens');
  const prompt = bay.subject.text.slice(0, PROMPT);
  const wanted = await greedyUncut(uncut, prompt, tokens);
  at(0.5, 'greedy tokens, adopted');
  const rows = [
    rowOf(bay, 'logits', COMPARED, { largestDifference: difference }),
    agreement(bay, 'greedy', await greedy(model, prompt, tokens), wanted),
  ];
  if (options.web) {
    at(0.8, 'greedy tokens, onnxruntime-web');
    rows.push(await onWeb(options.web, prompt, wanted));
  }
  return { case: sameCase(tokens), rows };
}

function sameCase(tokens: number): Case {
  return {
    name: 'same',
    title: `Whether it is the same model: logits, and ${tokens} tokens, greedy`,
    contenders: [],
    figures: (rows) => [
      {
        what: `largest difference of a logit from uncut, ${COMPARED} tokens`,
        value: rows.find({ case: 'logits' })?.metrics.largestDifference,
        unit: 'difference',
        atMost: 1e-3,
      },
      ...['greedy', 'greedy onnxruntime-web'].flatMap((name) => {
        const row = rows.find({ case: name });
        if (!row) return [];
        const value = row.metrics.found;
        const what = `${name}: tokens that are those of onnxruntime-node uncut`;
        return [{ what, value, unit: 'count', atLeast: tokens } as const];
      }),
    ],
  };
}

/** Of the first tokens of the text, all logits. */
async function logitsDifference(bay: Bay, uncut: Uncut, model: AdoptedModel): Promise<number> {
  const ids = bay.subject.text.slice(0, COMPARED);
  const { logits: wanted } = await uncut.step(ids, uncut.nothing, 'all');
  const { logits } = await model.forward(ids);
  return logits.data.reduce((most, one, i) => Math.max(most, Math.abs(one - wanted[i])), 0);
}

export async function greedyUncut(
  uncut: Uncut,
  prompt: readonly number[],
  count: number,
): Promise<number[]> {
  const out: number[] = [];
  let { logits, past } = await uncut.step(prompt);
  for (;;) {
    out.push(argmax(logits));
    if (out.length === count) return out;
    ({ logits, past } = await uncut.step(out.slice(-1), past));
  }
}

async function greedy(
  model: AdoptedModel,
  prompt: readonly number[],
  count: number,
): Promise<number[]> {
  const out: number[] = [];
  for await (const id of model.generate(prompt, { maxNewTokens: count, stop: [] })) out.push(id);
  return out;
}

async function onWeb(
  bay: Bay,
  prompt: readonly number[],
  wanted: readonly number[],
): Promise<ResultRow> {
  const name = 'greedy onnxruntime-web';
  try {
    const model = await bay.adopted('dense');
    return agreement(bay, name, await greedy(model, prompt, wanted.length), wanted);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ...rowOf(bay, name, wanted.length, {}), error: reason };
  }
}

function agreement(
  bay: Bay,
  name: string,
  given: readonly number[],
  wanted: readonly number[],
): ResultRow {
  const differs = wanted.findIndex((id, i) => id !== given[i]);
  const found = differs < 0 ? wanted.length : differs;
  return rowOf(bay, name, wanted.length, { found, cases: wanted.length });
}

function rowOf(
  { sizes, threads }: Bay,
  name: string,
  tokens: number,
  metrics: Partial<ResultRow['metrics']>,
): ResultRow {
  return {
    ...{ suite: 'model', case: name, implementation: 'jit-attention', strategy: 'dense' },
    ...{ backend: 'cpu', threads, tokens, queries: tokens },
    ...sizes,
    budget: null,
    metrics: { ...NOT_MEASURED, ...metrics },
  };
}
