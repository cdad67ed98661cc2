import { type Kernel, kernel, kernels, read, write } from '../device/kernel.js';
import { BITS } from './bits.js';
import { NUMBERS } from './numbers.js';
import { RANKS } from './ranks.js';
import { SPEC } from './spec.js';
import { PROBABILITIES } from './statistics.js';

/** How scored entries become units: one each, the largest of some, or by weights. */
export type Pooled = 'no' | 'max' | 'weights';

/**
 * A kernel that makes one score of each unit and slot of what its rows score: `ranks [slots][UNITS]`. A row has a say
 * about the units that it sees and, with `masked`, that are its candidates. A thread has four units.
 */
export const unitsKernel: (
  pooled: Pooled,
  probable: boolean,
  masked: boolean,
  reduce: 'max' | 'sum',
) => Kernel = kernels((pooled, probable, masked, reduce) =>
  kernel({
    name: `select: units`,
    buffers: {
      rows: read('Row'),
      raw: read(pooled === 'no' ? 'vec4f' : 'f32'),
      ...(probable ? { statistics: read('vec2f') } : {}),
      ...(masked ? { bits: read('u32') } : {}),
      ranks: write('vec4u'),
    },
    declarations: [
      ...[SPEC, NUMBERS, RANKS],
      masked ? BITS : '',
      probable ? PROBABILITIES : '',
      pooled === 'no' ? entriesAsUnits(probable) : pooledUnits(pooled, probable),
    ].join(''),
    body: /* wgsl */ `
  let strips = (word(UNITS) + 255) / 256;
  let slot = i32(group) / strips;
  let unit = (i32(group) % strips * 64 + i32(lane)) * 4;
  if (unit >= word(UNITS)) { return; }
  let at = (slot * word(UNITS) + unit) / 4;
  var score = vec4f(${reduce === 'max' ? 'minus_infinity()' : ''});
  var eligible = vec4<bool>();
  if (word(RESUMES) == 1) {
    eligible = ranks[at] != vec4u(EXCLUDED);
    score = select(score, scores_of(ranks[at]), eligible);
  }
  for (var row = slot * word(SLOT_ROWS); row < (slot + 1) * word(SLOT_ROWS); row++) {
    let units = rows[row].units;
    if (unit >= units) { continue; }
    var may = vec4i(unit) + vec4i(0, 1, 2, 3) < vec4i(units);
    ${masked ? 'may &= are_candidates(row, unit);' : ''}
    let own = units_at(row, unit, rows[row].entries);
    score = select(score, ${reduce === 'max' ? 'max(score, own)' : 'without_nans(score + own)'}, may);
    eligible |= may;
  }
  ranks[at] = select(vec4u(EXCLUDED), ranks_of(score), eligible);`,
  }),
);

/** Units that are entries: those that the row does not see score -Infinity. */
const entriesAsUnits = (probable: boolean): string => /* wgsl */ `
fn units_at(row: i32, unit: i32, entries: i32) -> vec4f {
  let nothing = vec4f(minus_infinity());
  if (unit >= entries) { return nothing; }
  let raw_scores = raw[(row * word(ENTRIES) + unit) / 4];
  let scores = ${probable ? 'probabilities(raw_scores, statistics[row])' : 'without_nans(raw_scores)'};
  return select(nothing, scores, vec4i(unit) + vec4i(0, 1, 2, 3) < vec4i(entries));
}
`;

/** Units that are pooled from entries, of which the row sees some. */
const pooledUnits = (pooled: 'max' | 'weights', probable: boolean): string => /* wgsl */ `
fn entry_at_score(row: i32, entry: i32) -> f32 {
  let score = raw[row * word(ENTRIES) + entry];
  return ${probable ? 'probabilities(vec4f(score), statistics[row]).x' : 'without_nan(score)'};
}

fn pooled(row: i32, unit: i32, entries: i32) -> f32 {
  let first = unit * word(POOL_STRIDE) + word(POOL_OFFSET);
  let end = min(word(POOL_LENGTH), entries - first);
  var score = ${pooled === 'max' ? 'minus_infinity()' : '0.0'};
  for (var i = max(0, -first); i < end; i++) {
    let own = entry_at_score(row, first + i);
    score = ${pooled === 'max' ? 'max(score, own)' : 'score + real(word(POOL_WEIGHTS) + i) * own'};
  }
  return without_nan(score);
}

fn units_at(row: i32, unit: i32, entries: i32) -> vec4f {
  return vec4f(
    pooled(row, unit, entries), pooled(row, unit + 1, entries),
    pooled(row, unit + 2, entries), pooled(row, unit + 3, entries));
}
`;
