import type { AdoptedModel } from '@jit-attention/onnx';
import { mean } from 'simple-statistics';

import { haystacks } from './needles.js';
import { compare, type Perplexity, read, type Reading } from './perplexity.js';
import { type Found, retrieve } from './retrieval.js';
import { adoptVariant, type Host, type Subject } from './subject.js';
import { budgetText, hasChoice, nameOf, type Variant } from './variants.js';

/** What is measured of each variant. */
export interface QualityTasks {
  /** Tokens of context, ascending. */
  readonly contexts: readonly number[];
  /** Tokens of the text whose perplexity is measured; 0: it is not. */
  readonly reading: number;
  /** Haystacks a context; 0: none. */
  readonly haystacks: number;
  /** Codes in each. */
  readonly codes: number;
  readonly seed: number;
}

/** One variant at one length of context. */
export interface Quality {
  readonly variant: Variant;
  readonly tokens: number;
  /** Entries read, of all that could be seen, over everything that was read: the mean over layers. */
  readonly density?: number | undefined;
  readonly perplexity?: Perplexity | undefined;
  readonly needles?: readonly Found[] | undefined;
  readonly error?: string | undefined;
}

export interface QualityRun {
  readonly subject: Subject;
  readonly host: Host;
  readonly vocabulary: number;
  readonly tasks: QualityTasks;
  readonly variants: readonly Variant[];
  readonly at: (share: number, doing: string) => void;
}

/** Bytes of dense logits that are kept to compare with, and the most distributions. */
const KEPT = { bytes: 64 * 2 ** 20, samples: 2048 };

/**
 * Every variant at every length of context at which it has a choice; dense attention first, which must
 * not fail. Others that fail keep their row.
 */
export async function measureQuality(run: QualityRun): Promise<Quality[]> {
  const { variants, tasks, at } = run;
  const [dense] = variants;
  const pairs = tasks.contexts.flatMap((tokens) =>
    variants
      .filter((variant) => variant === dense || hasChoice(variant, tokens))
      .map((variant) => ({ variant, tokens })),
  );
  const all = pairs.reduce((sum, { tokens }) => sum + tokensOf(tasks, tokens), 0);
  let done = 0;
  const results: Quality[] = [];
  let baseline: Reading | undefined;
  for (const { variant, tokens } of pairs) {
    const before = done;
    const onTokens = (count: number): void => {
      done += count;
      at(done / all, `${nameOf(variant)} ${budgetText(variant)}, ${tokens} tokens`);
    };
    const isDense = variant === dense;
    try {
      const measured = await measure(run, { variant, tokens }, onTokens);
      if (isDense) baseline = measured.reading;
      results.push(qualityOf({ variant, tokens }, measured, baseline));
    } catch (error) {
      if (isDense) throw error;
      results.push({
        variant,
        tokens,
        error: error instanceof Error ? error.message : String(error),
      });
    }
    done = before + tokensOf(tasks, tokens);
  }
  return results;
}

type Pair = Pick<Quality, 'variant' | 'tokens'>;

interface Measured {
  readonly density: number | undefined;
  readonly reading: Reading | undefined;
  readonly needles: readonly Found[] | undefined;
}

async function measure(
  { subject, host, tasks, vocabulary }: QualityRun,
  { variant, tokens }: Pair,
  onTokens: (count: number) => void,
): Promise<Measured> {
  const { tokenizer, text } = subject;
  const model = await adoptVariant(subject, host, variant, tokens);
  try {
    const part = text.slice(0, tasks.reading);
    const stride = strideOf(vocabulary, tasks.reading);
    const reading =
      tasks.reading === 0 ? undefined : await read(model, part, { tokens, stride, onTokens });
    const { haystacks: count, codes } = tasks;
    // other names and codes at each context, so that their cases can be added up
    const seed = tasks.seed + tokens;
    const needles =
      count === 0
        ? undefined
        : await retrieve(
            model,
            haystacks(tokenizer, text, { tokens, count, codes, seed }),
            onTokens,
          );
    return { density: await densityOf(model), reading, needles };
  } finally {
    await model.dispose();
  }
}

function qualityOf(pair: Pair, measured: Measured, baseline: Reading | undefined): Quality {
  const { density, reading, needles } = measured;
  const perplexity = reading && baseline ? compare(reading, baseline) : undefined;
  return { ...pair, density, perplexity, needles };
}

/** A layer that keeps a window of the model's own counts like the others. */
async function densityOf(model: AdoptedModel): Promise<number | undefined> {
  const { layers } = await model.report();
  const densities = layers.flatMap(({ density }) => density ?? []);
  return densities.length > 0 ? mean(densities) : undefined;
}

function strideOf(vocabulary: number, predictions: number): number {
  const most = Math.min(KEPT.samples, KEPT.bytes / (4 * vocabulary));
  return Math.max(1, Math.ceil(predictions / most));
}

/** Whole windows, and haystacks. */
function tokensOf({ reading, haystacks: count }: QualityTasks, tokens: number): number {
  return Math.floor(reading / tokens) * tokens + count * tokens;
}
