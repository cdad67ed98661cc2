import type { DType } from '@jit-attention/core';

import { type BufferUse, kernel, type Kernel, kernels, read, write } from '../device/kernel.js';
import { foursReader } from '../wgsl/fours.js';
import { LAYOUT } from '../wgsl/layout.js';
import { BLOCK } from './block.js';
import { CALL } from './call.js';
import { FINITE } from './finite.js';
import { places } from './places.js';
import { results, store } from './results.js';
import { type Team, teamOf } from './team.js';
import { ENTRIES, type Tiling } from './tiling.js';
import { fold, unroll } from './unroll.js';
import { type Legs, legOf, listBuffers, seenBy, sightOf, walk } from './walk.js';

/** What a kernel of attention is made for. */
export interface Variant {
  readonly tiling: Tiling;
  readonly legs: Legs;
  readonly keys: DType;
  /** Of values that are the first channels of keys: theirs. */
  readonly values: DType;
  /** Whether rows are whole vectors of four. */
  readonly wholeKeys: boolean;
  readonly wholeValues: boolean;
  readonly wholeOutput: boolean;
  readonly samePages: boolean;
  readonly isPart: boolean;
}

/**
 * Attention with an online softmax. A workgroup takes a block of rows and walks what they select, `team * ENTRIES` entries
 * a step, in which a thread
 *
 * 1. comes to the logits of its rows with `ENTRIES` entries of its own;
 * 2. agrees with its team on each row's largest so far, and turns logits into weights;
 * 3. adds its channels of the values of all entries of the step, by the weights of the team.
 *
 * Results go to a slice of `output`, and of `stats`: log-sum-exps, then counts.
 */
export const attention = (variant: Variant): Kernel => byVariant(JSON.stringify(variant));

const byVariant = kernels((variant: string) => make(JSON.parse(variant) as Variant));

function make(variant: Variant): Kernel {
  const { tiling, legs, wholeOutput } = variant;
  const { rows, team, teams } = tiling;
  const exchange = teamOf(tiling);
  const { declarations, ...parts } = exchange.parts;
  const readers = readersOf(variant);
  return kernel({
    ...parts,
    name: `attend ${JSON.stringify(variant)}`,
    threads: team * teams,
    buffers: {
      ...readers.buffers,
      ...listBuffers(legs),
      output: write(wholeOutput ? 'vec4f' : 'f32'),
      stats: write('u32'),
    },
    declarations: [
      CALL,
      LAYOUT,
      readers.text,
      declarations,
      BLOCK,
      walk(legs),
      places(variant),
      FINITE,
      results(variant.wholeOutput),
    ].join('\n'),
    body: /* wgsl */ `
  let side = lane % ${team};
  let value_dim = u32(word(VALUE_DIM));
  let head_dim = u32(word(HEAD_DIM));
  let scale = real(SCALE);
  let nan = real(NAN);
  let softcap = real(SOFTCAP);
  let block = block_of(i32(group) / word(SHARES), ${rows * teams});
  let first = block.first + i32(lane) / ${team} * ${rows};
  ${unroll({ r: rows }, `let row$r = row_of(block, first + $r);${sightOf(legs)}`)}
  ${ownQueries(tiling)}
  ${unroll({ r: rows }, 'var most$r = NOTHING_YET; var sum$r = 0.0; var count$r = 0u;')}
  ${unroll({ r: rows, s: tiling.slots }, 'var out$r_$s = vec4f();')}

  let walk = walk_of(block.batch, block.kv_head, block.first_token, block.last_token);
  let key_pages = pages_of(word(KEYS), block.batch);
  let value_pages = pages_of(word(VALUES), block.batch);
  let share = i32(group) % word(SHARES);
  let steps = (walk.length + ${team * ENTRIES - 1}) / ${team * ENTRIES};
  for (var step = steps * share / word(SHARES); step < steps * (share + 1) / word(SHARES); step++) {
    ${entriesOfStep(variant)}
    ${logits(tiling)}
    ${unroll({ r: rows }, seenLogits(variant))}
    ${exchange.best}
    ${unroll({ r: rows }, weights(tiling))}
    ${exchange.offer}
    ${weighedValues(variant, exchange)}
  }
  ${unroll({ r: rows }, totals(tiling, exchange))}
  let slice = word(SLICE) + share;
  ${store(tiling, channel(tiling))}`,
  });
}

function readersOf(variant: Variant): { buffers: Record<string, BufferUse>; text: string } {
  const { keys, values, wholeKeys, wholeValues } = variant;
  const readers = {
    queries: foursReader('queries', 'f32', wholeKeys),
    keys: foursReader('keys', keys, wholeKeys),
    values: foursReader('values', values, wholeValues),
  };
  const all = Object.entries(readers);
  return {
    buffers: Object.fromEntries(all.map(([name, { type }]) => [name, read(type)])),
    text: all.map(([, { text }]) => text).join(''),
  };
}

/** Where the queries begin that a thread reads. */
function ownQueries({ rows, handsRows }: Tiling): string {
  return handsRows
    ? unroll(
        { b: rows / 4 },
        'let handed_row$b = u32(number_of(block, row_of(block, first + 4 * $b + i32(side % 4)))) * head_dim;',
      )
    : unroll({ r: rows }, 'let query_row$r = u32(number_of(block, row$r)) * head_dim;');
}

/** The entries of a thread in a step, found in a loop: what finds one is long. */
function entriesOfStep({ tiling: { team }, legs }: Variant): string {
  return /* wgsl */ `
    var entries: array<Entry, ${ENTRIES}>;
    for (var c = 0; c < ${ENTRIES}; c++) {
      let i = step * ${team * ENTRIES} + c * ${team} + i32(side);
      entries[c] = place_of(entry_of(walk, i), block.kv_head, key_pages, value_pages);
    }
    ${unroll(
      { c: ENTRIES },
      `
    let i$c = step * ${team * ENTRIES} + $c * ${team} + i32(side);
    let n$c = entries[$c].n;
    let key_row$c = entries[$c].key;
    let value$c = entries[$c].value;
    ${legOf(legs)}`,
    )}`;
}

/** The products of a thread's rows and entries: `logit$r_$c`. */
function logits({ rows, handsRows }: Tiling): string {
  const read = (row: string): string => `queries_four(${row}, d, head_dim)`;
  const queries = handsRows
    ? unroll({ b: rows / 4 }, `let handed$b = ${read('handed_row$b')};`) +
      range(rows)
        .map((r) => `let query${r} = quadBroadcast(handed${r >> 2}, ${r % 4}u);`)
        .join('\n')
    : unroll({ r: rows }, `let query$r = ${read('query_row$r')};`);
  return /* wgsl */ `
    ${unroll({ r: rows, c: ENTRIES }, 'var logit$r_$c = 0.0;')}
    for (var d = 0u; d < head_dim; d += 4) {
      ${queries}
      ${unroll({ c: ENTRIES }, 'let key$c = keys_four(key_row$c, d, head_dim);')}
      ${unroll({ r: rows, c: ENTRIES }, 'logit$r_$c += dot(query$r, key$c);')}
    }`;
}

/** Logits as they count, hidden where the row does not read the entry; NaN spreads by the sum. */
const seenLogits = ({ legs }: Variant): string => /* wgsl */ `{
    ${unroll(
      { c: ENTRIES },
      `
    let seen$c = ${seenBy(legs)};
    let scaled$c = scale * logit$r_$c;
    count$r += u32(seen$c);
    sum$r += select(0.0, nan, seen$c & is_nan(scaled$c));
    logit$r_$c = select(HIDDEN, tamed(capped(scaled$c, softcap)), seen$c);`,
    )}
    }
    let top$r = max(most$r, ${fold('max', ENTRIES, 'logit$r_$i')});`;

const weights = ({ slots }: Tiling): string => /* wgsl */ `
    let fade$r = exp(most$r - best$r);
    most$r = best$r;
    ${unroll({ c: ENTRIES }, 'let weight$r_$c = exp(logit$r_$c - best$r);')}
    sum$r = sum$r * fade$r + ${range(ENTRIES)
      .map((c) => `weight$r_${c}`)
      .join(' + ')};
    ${unroll({ s: slots }, 'out$r_$s *= fade$r;')}`;

/** Adds the values of the step's entries to the channels that are the thread's. */
function weighedValues({ tiling }: Variant, { weight, value }: Team): string {
  const { rows, team, slots, sharers } = tiling;
  const from = sharers === 1 ? 'i' : `i + side / ${team / sharers}`;
  return /* wgsl */ `
    for (var i = 0u; i < ${team}; i += ${sharers}) {
      let other = ${from};
      ${unroll(
        { c: ENTRIES },
        `{
        let row = ${value};
        ${unroll({ s: slots }, `let value$s = values_four(row, ${channel(tiling)}, value_dim);`)}
        ${unroll({ r: rows }, weighed(slots, weight))}
      }`,
      )}
    }`;
}

/** What has no weight is not touched: it may be anything, and 0 times NaN is no 0. */
const weighed = (slots: number, weight: string): string => /* wgsl */ `{
        let given = ${weight};
        let mask = vec4u(select(0xffffffffu, 0u, given == 0));
        ${unroll({ s: slots }, 'out$r_$s += given * bitcast<vec4f>(bitcast<vec4u>(value$s) & mask);')}
        }`;

/** The first of the four channels of slot s. */
const channel = ({ team, sharers }: Tiling): string => {
  const apart = team / sharers;
  return `4 * (side % ${apart} + $s * ${apart})`;
};

function totals({ slots, team, sharers }: Tiling, { sum }: Team): string {
  const outputs = unroll(
    { s: slots },
    ['x', 'y', 'z', 'w'].map((i) => sum(`out$r_$s.${i}`, 'f32', team / sharers)).join('\n'),
  );
  return `${sum('sum$r', 'f32')} ${sum('count$r', 'u32')} ${sharers === 1 ? '' : outputs}`;
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);
