import { availableParallelism } from 'node:os';

import { inputError } from '@jit-attention/core';

import { chosenParts, type ModelOptions, type Part } from '../options/model-options.js';
import type { QualityTasks } from './quality.js';
import { openSubject, type Subject } from './subject.js';
import { CHOICES, type Variant, variantsOf } from './variants.js';

/** What a run will do, all of it checked. */
export interface ModelPlan {
  readonly subject: Subject;
  readonly parts: readonly Part[];
  readonly variants: readonly Variant[];
  readonly tasks: QualityTasks;
  /** Where quality is measured: time does not matter there. */
  readonly qualityThreads: number;
  readonly speed: SpeedPlan;
  readonly quick: boolean;
}

/** Contexts in tokens. */
export interface SpeedPlan {
  readonly threads: number;
  readonly rounds: number;
  readonly prefill: readonly number[];
  readonly decode: readonly number[];
  /** Tokens that both must generate alike. */
  readonly same: number;
}

interface Defaults extends Pick<SpeedPlan, 'rounds' | 'prefill' | 'decode' | 'same'> {
  readonly choices: keyof typeof CHOICES;
  readonly contexts: readonly number[];
  readonly reading: number;
  readonly haystacks: number;
}

/** Some ten minutes on two cores. */
const REFERENCE: Defaults = {
  choices: 'all',
  contexts: [1024, 2048, 4096],
  reading: 8192,
  haystacks: 8,
  rounds: 5,
  prefill: [512, 1024, 2048, 4096, 8192],
  decode: [500, 2000, 4000, 8000],
  same: 200,
};

/** A model of a hundred million parameters takes fifty times as long a token. */
const OTHER: Defaults = {
  choices: 'few',
  contexts: [1024, 2048],
  reading: 4096,
  haystacks: 4,
  rounds: 3,
  prefill: [512, 2048, 4096],
  decode: [500, 2000, 4000, 8000],
  same: 200,
};

const QUICK: Defaults = {
  choices: 'quick',
  contexts: [1024],
  reading: 1024,
  haystacks: 1,
  rounds: 2,
  prefill: [256],
  decode: [100, 500],
  same: 16,
};

/** Codes in a haystack: one to be asked for, one to be mistaken for it. */
const CODES = 2;

/** @throws {InputError} `INVALID_OPTION`, `MISSING_INPUT`: whatever is wrong with options and files */
export function planModel(options: ModelOptions): ModelPlan {
  const parts = chosenParts(options);
  const { quick = false, model, threads, seed } = options;
  const defaults = quick ? QUICK : model === undefined ? REFERENCE : OTHER;
  const contexts = [...(options.contexts ?? defaults.contexts)].sort((a, b) => a - b);
  const longest = contexts.at(-1)!;
  const reading = Math.max(longest, defaults.reading);
  const { prefill, decode, same, rounds } = defaults;
  const needed = Math.max(reading, ...prefill, ...decode.map((tokens) => tokens + 1));
  const subject = openSubject(options, needed);
  assertFits(longest, subject);
  return {
    ...{ subject, parts, quick },
    variants: variantsOf(CHOICES[defaults.choices]),
    tasks: {
      ...{ contexts, codes: CODES, seed },
      reading: parts.includes('perplexity') ? reading : 0,
      haystacks: parts.includes('needles') ? (options.haystacks ?? defaults.haystacks) : 0,
    },
    qualityThreads: availableParallelism(),
    speed: {
      ...{ threads, rounds, same },
      prefill: prefill.filter((tokens) => tokens <= subject.context),
      decode: decode.filter((tokens) => tokens < subject.context),
    },
  };
}

/** Room for a question and its answer. */
const QUESTION = 32;

function assertFits(longest: number, { context, model }: Subject): void {
  if (longest + QUESTION <= context) return;
  const most = context - QUESTION;
  throw inputError(
    '--contexts',
    `at most ${most}, the context of ${model} less a question`,
    longest,
  );
}
