import type { Contender, Facts, Lap, Runner } from '../../race/contender.js';
import { feedsOf } from '../subject.js';
import { type Bay, BUDGET, type Ours } from './bay.js';
import type { Rows } from './uncut.js';

interface Prefilled {
  readonly tokens: number;
  /** Rows of logits, the same for all. */
  readonly rows: Rows;
}

export function uncutPrefill(bay: Bay, { tokens, rows }: Prefilled): Contender {
  return {
    facts: factsOf(bay, 'uncut', tokens, tokens),
    async start() {
      const uncut = await bay.uncut();
      const ids = bay.subject.text.slice(0, tokens);
      return runner(() => timed(async () => (await uncut.step(ids, uncut.nothing, rows)).logits));
    },
  };
}

/** @param same who gives the same logits; not for a strategy that leaves something out */
export function prefill(
  bay: Bay,
  which: Ours,
  { tokens, rows }: Prefilled,
  same?: Contender,
): Contender {
  return {
    facts: factsOf(bay, which, tokens, tokens),
    same,
    async start() {
      const model = await bay.adopted(which);
      const feeds = feedsOf(bay.subject.text.slice(0, tokens));
      return runner(async () => {
        const sequence = model.sequence();
        const lap = await timed(async () => logitsOf(await sequence.step(feeds, { logits: rows })));
        sequence.dispose();
        return lap;
      });
    },
  };
}

/** One token, with `tokens` before it. */
export function uncutDecode(bay: Bay, tokens: number): Contender {
  return {
    facts: factsOf(bay, 'uncut', tokens, 1),
    async start() {
      const [uncut, past] = [await bay.uncut(), await bay.pastOf(tokens)];
      const next = [bay.subject.text[tokens]];
      return runner(() => timed(async () => (await uncut.step(next, past)).logits));
    },
  };
}

/** @param same see {@link prefill} */
export function decode(bay: Bay, which: Ours, tokens: number, same?: Contender): Contender {
  return {
    facts: factsOf(bay, which, tokens, 1),
    same,
    start: () => startDecode(bay, which, tokens),
  };
}

export const OUTSIDE = 'outside attention';

/** What of a step of {@link decode} is spent outside attention: it must not grow with the context. */
export function decodeOutside(bay: Bay, tokens: number): Contender {
  return {
    facts: factsOf(bay, 'dense', tokens, 1),
    variant: OUTSIDE,
    async start() {
      const model = await bay.adopted('dense');
      const step = await startDecode(bay, 'dense', tokens);
      return {
        dispose: () => step.dispose(),
        async run() {
          await model.report();
          const { ms } = await step.run();
          const { attentionMs } = await model.report();
          return { ms: ms! - attentionMs };
        },
      };
    },
  };
}

async function startDecode(bay: Bay, which: Ours, tokens: number): Promise<Runner> {
  const sequence = await bay.adoptedAt(which, tokens);
  const feeds = feedsOf([bay.subject.text[tokens]]);
  return {
    async run() {
      sequence.truncate(tokens);
      return timed(async () => logitsOf(await sequence.step(feeds)));
    },
    dispose: () => sequence.dispose(),
  };
}

function factsOf(bay: Bay, which: Ours | 'uncut', tokens: number, queries: number): Facts {
  const { sizes, threads, runtime } = bay;
  return {
    implementation: which === 'uncut' ? runtime : 'jit-attention',
    strategy: which === 'topk' ? 'topk' : 'dense',
    ...{ backend: 'cpu', threads, tokens, queries },
    ...sizes,
    budget: which === 'topk' ? BUDGET : null,
  };
}

const runner = (run: () => Promise<Lap>): Runner => ({ run, dispose: () => undefined });

/** The outputs are kept for the comparison, which is of the first run. */
async function timed(run: () => Promise<Float32Array>): Promise<Lap> {
  const before = performance.now();
  const output = await run();
  const ms = performance.now() - before;
  return { ms, output: () => Promise.resolve(output) };
}

function logitsOf(outputs: Readonly<Record<string, { readonly data: unknown }>>): Float32Array {
  return outputs['logits'].data as Float32Array;
}
