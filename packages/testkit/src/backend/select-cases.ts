import {
  type BlocksSelection,
  fromQuery,
  type Interval,
  type Pick,
  reference,
  type SelectRequest,
  threshold,
  topk,
  type TokensSelection,
  topp,
} from '@jit-attention/core';

import { range } from '../array.js';
import { type Mask, maskOf } from '../oracle/mask.js';
import { isProbability } from '../oracle/scores.js';
import { choiceOf, type HostSelect, listHeads } from '../oracle/select.js';
import { uniform } from '../random.js';
import { Bench } from './bench.js';
import { type Context, materialOf } from './context.js';
import { type ScoreName, scoreOn, scoringOf } from './select-scores.js';
import { type HostListed, listed } from './selections.js';

/** A request for `select`, on the host and on any backend. */
export interface SelectCase {
  readonly host: HostSelect;
  readonly requestOn: (bench: Bench) => SelectRequest;
}

/** A random request for a score: reduced, limited, forced and picked in any way that fits it. */
export async function selectCase(name: ScoreName, context: Context): Promise<SelectCase> {
  const next = uniform(context.seed, 'select');
  const material = materialOf(context);
  const { positions = material.positions, ...scoring } = scoringOf(name, context);
  const { block, pool, score } = scoring;
  const stride = score.stride ?? 1;
  const spec = {
    ...{ block, pool, positions, visible: context.visible },
    reduce: oneOf(next, [undefined, undefined, 'max', 'sum', 'union'] as const),
    shared: oneOf(next, ['group', 'group', 'all'] as const),
    queryBlock: stride * Math.ceil((4 * next()) / stride || 1),
    always: alwaysOf(next),
  };
  const unlimited: HostSelect = {
    ...{ ...spec, score, lengths: context.lengths, scoreVisible: scoring.scoreVisible },
    pick: topk(1),
  };
  const within = stride === 1 && next() < 0.3 ? candidates(unlimited, context, next) : undefined;
  const pick = pickFor(unlimited, next);
  const mask = within && (await candidateMask(within, unlimited));
  return {
    host: { ...unlimited, within: mask, pick },
    requestOn: (bench) => ({
      ...{ ...spec, pick, over: bench.entries(material.keys) },
      score: scoreOn(bench, context, scoring),
      within: within && (bench.selection(within) as BlocksSelection | TokensSelection),
    }),
  };
}

const oneOf = <T>(next: () => number, values: readonly T[]): T =>
  values[Math.floor(values.length * next())];

/** Some of the first entries and some of the newest; often none. */
function alwaysOf(next: () => number): Interval[] {
  const [sinks, recent] = [Math.floor(4 * next()) - 1, Math.floor(4 * next()) - 1];
  return [
    [0, Math.max(0, sinks)],
    [fromQuery(1 - Math.max(0, recent)), fromQuery(1)],
  ];
}

/** Blocks of whole units. */
function candidates(request: HostSelect, context: Context, next: () => number): HostListed {
  const { lengths, tokens } = context;
  const size = request.block * (1 + Math.floor(3 * next()));
  const entries = Math.max(1, ...lengths);
  const sizes = { batch: lengths.length, kvHeads: listHeads(request), tokens, entries };
  return listed(size === 1 ? 'tokens' : 'blocks', sizes, next, size);
}

async function candidateMask(within: HostListed, request: HostSelect): Promise<Mask> {
  const bench = new Bench(reference());
  const { positions, lengths } = request;
  const kvHeads = within.shape[1];
  return maskOf(bench.selection(within), { positions, kvHeads, lengths, visible: undefined });
}

/** A pick with room for what is forced, and often for little more. */
function pickFor(request: HostSelect, next: () => number): Pick {
  const room = Math.max(1, mostForced(request) + Math.floor(6 * next()));
  const kinds = isProbability(request.score)
    ? ['topk', 'topp', 'threshold']
    : ['topk', 'threshold'];
  switch (oneOf(next, kinds)) {
    case 'topp':
      return topp(oneOf(next, [0.3, 0.8, 0.95, 1]), room + 8);
    case 'threshold':
      return threshold(isProbability(request.score) ? 0.1 : 1, room);
    default:
      return topk(room);
  }
}

function mostForced(request: HostSelect): number {
  const { positions, queryBlock } = request;
  const blocks = range(0, Math.ceil(positions.tokens / queryBlock));
  const counts = positions.first.flatMap((_, row) =>
    blocks.map((block) => choiceOf(request, row, 0, block)?.forced.length ?? 0),
  );
  return Math.max(...counts);
}
