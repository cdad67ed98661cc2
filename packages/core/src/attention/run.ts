import { fromQuery } from '../bound.js';
import { entriesOf } from '../entries.js';
import { assertKnown, assertWhole } from '../check.js';
import { inputError } from '../errors.js';
import type { Positions } from '../positions.js';
import { assertReplay } from './replay.js';
import { cut, execute } from './execute.js';
import { Feedback } from './feedback.js';
import { IndexState } from './index-state.js';
import {
  CALL_INPUTS,
  type CallInputs,
  type CheckedInputs,
  checkInputs,
  type ReadInputs,
} from './inputs.js';
import type { Site } from './options.js';
import type { AttentionResult } from './result.js';

export interface RunInputs extends CallInputs {
  /**
   * Query t sees keys up to its own position, `keys - queries + t`. Default true. When false, queries that are as
   * many as the keys are taken for the same tokens: `lengths` are those of both.
   */
  causal?: boolean | undefined;
  /** Batch rows. Default 1. */
  batch?: number | undefined;
}

/** One shot over keys and values that stay where they are. */
export async function run(site: Site, inputs: RunInputs): Promise<AttentionResult> {
  assertKnown('run', inputs, [...CALL_INPUTS, 'causal', 'batch']);
  const { causal = true, batch = 1 } = inputs;
  const { strategy, layer } = site;
  assertWhole('run', 'batch', batch, { min: 1 });
  if (!causal && !strategy.supports.bidirectional) {
    throw inputError(
      'run',
      'a strategy that supports.bidirectional, as causal is false',
      strategy.name,
      {
        code: 'UNSUPPORTED',
      },
    );
  }
  const checked = checkInputs(site, 'run', inputs, batch);
  const positions = positionsOf(checked, causal);
  if (inputs.plan) assertReplay('run', inputs.plan, cut(positions, layer.queryChunk));

  const read = checked.read();
  const index = indexFor(site, batch, read);
  let made: { dispose(): void }[] = [index, ...read.owned];
  try {
    const keys = entriesOf(read.key, checked.lengths);
    const values = read.value ? entriesOf(read.value, checked.lengths) : 'keys';
    const before = new Array<number>(batch).fill(0);
    const shown = values === 'keys' ? keys : values;
    await index.append({ keys, values: shown, rows: read.rows, before, after: checked.lengths });
    const result = await execute({
      site,
      where: 'run',
      query: read.query,
      aux: read.queryAux,
      keys,
      values,
      visible: causal ? fromQuery(1) : undefined,
      positions,
      index: index.parts,
      feedback: new Feedback(strategy.audit?.delay),
      inputs,
      settle: () => index.bytes,
    });
    // A kept plan may read the index's entries, or the keys themselves.
    if (result.plan) {
      result.plan.adopt([index]);
      made = result.plan.adoptNamed(read.owned);
    }
    return result;
  } finally {
    for (const one of made) one.dispose();
  }
}

/** The strategy's index; where it cannot be made, what was read is freed. */
function indexFor({ strategy, backend, layer }: Site, batch: number, read: ReadInputs): IndexState {
  try {
    return new IndexState(strategy, { backend, layer, batch });
  } catch (error) {
    for (const tensor of read.owned) tensor.dispose();
    throw error;
  }
}

/**
 * Causal: the queries are the last of the keys' tokens, so rows end where their keys end. Otherwise queries that
 * are as many as the keys are the keys' own tokens, and others (cross-attention) are all valid.
 */
function positionsOf({ tokens, keyTokens, lengths }: CheckedInputs, causal: boolean): Positions {
  if (causal && tokens > keyTokens) {
    throw inputError('run', `at most as many queries as keys when causal, ${keyTokens}`, tokens, {
      code: 'INVALID_SHAPE',
      hint: 'pass causal: false for cross-attention',
    });
  }
  const skipped = causal ? keyTokens - tokens : 0;
  const own = causal || tokens === keyTokens;
  return {
    first: lengths.map(() => skipped),
    counts: lengths.map((length) => (own ? Math.max(0, length - skipped) : tokens)),
    tokens,
  };
}
