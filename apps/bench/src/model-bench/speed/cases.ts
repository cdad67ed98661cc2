import { type Case, type Figure, ratio, type Rows } from '../../race/case.js';
import type { Contender } from '../../race/contender.js';
import type { Part } from '../../options/model-options.js';
import type { SpeedPlan } from '../plan.js';
import type { RuntimeName } from '../runtimes.js';
import type { Bay } from './bay.js';
import {
  decode,
  decodeOutside,
  OUTSIDE,
  prefill,
  uncutDecode,
  uncutPrefill,
} from './contenders.js';

export interface SpeedCases {
  readonly bay: Bay;
  readonly plan: SpeedPlan;
  /** Attentions of the model. */
  readonly layers: number;
  /** Whether the uncut model can be asked for the last row of logits alone. */
  readonly picksRows: boolean;
}

/** A case by its name, beside the uncut model in a runtime. */
export interface CaseName {
  readonly name: string;
  readonly runtime: RuntimeName;
}

/** Of the parts that were asked for; {@link speedCase} makes them. */
export function caseNames(parts: readonly Part[], { prefill, web }: SpeedPlan): CaseName[] {
  const prefills = prefill.map((tokens) => `prefill-${tokens}`);
  const names = parts.flatMap((part) => {
    if (part === 'prefill') return prefills;
    return part === 'decode' || part === 'piece' ? [part] : [];
  });
  const onWeb = parts.includes('web') && web ? [...prefills.filter(isJudged), 'decode'] : [];
  return [
    ...names.map((name): CaseName => ({ name, runtime: 'onnxruntime-node' })),
    ...onWeb.map((name): CaseName => ({ name, runtime: 'onnxruntime-web' })),
  ];
}

/** Uncut, a prefill takes onnxruntime-web so long that only those are run which have a target, or the only one. */
const isJudged = (name: string, i: number, all: readonly string[]): boolean =>
  all.length === 1 || [LONG / 2, LONG].some((tokens) => name === `prefill-${tokens}`);

export function speedCase(name: string, options: SpeedCases): Case {
  const { bay } = options;
  const made = madeCase(name, options);
  return { ...made, name: nameIn(bay, name), title: `${made.title}${where(bay)}` };
}

/** Cases of onnxruntime-web stand beside those of onnxruntime-node. */
const nameIn = ({ runtime }: Bay, name: string): string =>
  runtime === 'onnxruntime-node' ? name : `web-${name}`;

const where = ({ runtime }: Bay): string =>
  runtime === 'onnxruntime-node' ? '' : `, in ${runtime}`;

function madeCase(name: string, options: SpeedCases): Case {
  if (name === 'decode') return decodeCase(options);
  if (name === 'piece') return pieceCase(options);
  return prefillCase(options, Number(name.slice('prefill-'.length)));
}

const DENSE = { implementation: 'jit-attention', strategy: 'dense' } as const;
const SPARSE = { implementation: 'jit-attention', strategy: 'topk' } as const;

/** Prompts from which on ours has to be no slower at all; at half of it 1.1 times is allowed. */
const LONG = 4096;

function prefillCase({ bay, picksRows }: SpeedCases, tokens: number): Case {
  const wanted = { tokens, rows: picksRows ? 1 : 'all' } as const;
  const which = picksRows ? 'the last row of logits' : 'all logits';
  const uncut = uncutPrefill(bay, wanted);
  return {
    name: `prefill-${tokens}`,
    title: `Prefill of ${tokens.toLocaleString('en')} tokens, ${which}`,
    contenders: [uncut, prefill(bay, 'dense', wanted, uncut), prefill(bay, 'topk', wanted)],
    figures: (rows) => [
      {
        what: `prefill of ${tokens} tokens${where(bay)}: dense adopted over uncut, time`,
        value: ratio(rows.ms(DENSE), rows.ms({ implementation: bay.runtime })),
        unit: 'factor',
        ...(tokens >= LONG ? { atMost: 1 } : tokens >= LONG / 2 ? { atMost: 1.1 } : {}),
      },
    ],
  };
}

function decodeCase({ bay, plan }: SpeedCases): Case {
  return {
    name: 'decode',
    title: 'A token, with so many before it',
    contenders: plan.decode.flatMap((tokens) => [
      ...besideUncut(bay, tokens),
      decode(bay, 'topk', tokens),
      decodeOutside(bay, tokens),
    ]),
    figures: (rows) => [
      ...plan.decode.map((tokens) => againstUncut(bay, rows, tokens, plan.isTiny)),
      ...growths(bay, rows, plan.decode),
    ],
  };
}

function besideUncut(bay: Bay, tokens: number): Contender[] {
  const uncut = uncutDecode(bay, tokens);
  return [uncut, decode(bay, 'dense', tokens, uncut)];
}

function againstUncut(bay: Bay, rows: Rows, tokens: number, isTiny: boolean): Figure {
  const target = tokens >= 4000 ? { atMost: 1 } : tokens <= 512 && !isTiny ? { atMost: 1.15 } : {};
  return {
    what: `a token after ${tokens}${where(bay)}: dense adopted over uncut, time`,
    value: ratio(
      rows.ms({ ...DENSE, case: nameIn(bay, 'decode'), tokens }),
      rows.ms({ implementation: bay.runtime, tokens }),
    ),
    unit: 'factor',
    ...target,
  };
}

/** From the shortest context to the longest. */
function growths(bay: Bay, rows: Rows, contexts: readonly number[]): Figure[] {
  const [first, last] = [contexts[0], contexts.at(-1)!];
  if (first === last) return [];
  const growth = (facts: Parameters<Rows['ms']>[0]): number | undefined =>
    ratio(rows.ms({ ...facts, tokens: last }), rows.ms({ ...facts, tokens: first }));
  const what = (who: string): string =>
    `a token after ${last} over one after ${first}${where(bay)}: ${who}`;
  const name = nameIn(bay, 'decode');
  return [
    { what: what('top-k pages'), value: growth(SPARSE), unit: 'factor', atMost: 1.25 },
    { what: what('dense'), value: growth({ ...DENSE, case: name }), unit: 'factor' },
    {
      what: what('dense, outside attention'),
      value: growth({ case: `${name} ${OUTSIDE}` }),
      unit: 'factor',
    },
    { what: what('uncut'), value: growth({ implementation: bay.runtime }), unit: 'factor' },
  ];
}

/** Few enough that attention is next to nothing. */
const SHORT = 16;

function pieceCase({ bay, layers }: SpeedCases): Case {
  return {
    name: 'piece',
    title: `What cutting costs: a token, with ${SHORT} before it`,
    contenders: [...besideUncut(bay, SHORT), decodeOutside(bay, SHORT)],
    figures(rows) {
      const uncut = rows.ms({ implementation: bay.runtime });
      const costOf = (ms: number | undefined): number | undefined =>
        ms === undefined || uncut === undefined ? undefined : (1000 * (ms - uncut)) / layers;
      return [
        {
          what: 'a layer cut out: more than uncut',
          value: costOf(rows.ms({ ...DENSE, case: 'piece' })),
          unit: 'µs',
        },
        {
          what: 'of that, in the pieces of ONNX Runtime and around them',
          value: costOf(rows.ms({ case: `piece ${OUTSIDE}` })),
          unit: 'µs',
        },
      ];
    },
  };
}
