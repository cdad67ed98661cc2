import { type Kernel, kernel, read, write } from '../device/kernel.js';
import { channels } from './channels.js';
import { fourRows, product, queryRows, range, zeroSums } from './product.js';
import { candidates, KEYS_BOUND, place, type Scoring, scoringText, store } from './tile.js';

/**
 * A kernel that scores by `Σ_j w_j ReLU(scale * q_j · k)`. A thread has one query, whose heads it takes `rows` at a
 * time.
 */
export function indexerKernel(scoring: Scoring): Kernel {
  const { dtype, whole, rows, masked, quads, isPart } = scoring;
  const [query, keys] = [channels('query', 'f32', whole), channels('keys', dtype, whole)];
  return kernel({
    name: 'select: score by an indexer',
    enable: quads ? ['subgroups'] : [],
    buffers: {
      rows: read('Row'),
      query: query.use,
      keys: keys.use,
      weights: read('f32'),
      ...(masked ? { bits: read('u32') } : {}),
      raw: write('vec4f'),
    },
    declarations: `${scoringText(isPart)}${candidates(masked)}${query.source}${keys.source}${WEIGHED}`,
    body: /* wgsl */ `${place(scoring, 1)}
  let key = four_at(word(KEYS), KEYS_FIRST, row, entry);${isPart ? KEYS_BOUND : ''}
  var score = vec4f();
  for (var head = 0; head < word(HEADS); head += ${rows}) {
  ${queryRows(scoring, (i) => `query_start(row.batch, min(head + ${i}, word(HEADS) - 1), row.token)`)}
  ${zeroSums(scoring)}
  ${product(scoring, { step: `let k = ${fourRows('key', 'keys_channels')};`, term: 'q * k' })}
  ${range(rows)
    .map((r) => `score += weighed(row, head + ${r}, sum${r});`)
    .join('\n  ')}
  }
  ${store(0, 'score', isPart ? 'bound' : undefined)}`,
  });
}

const WEIGHED = /* wgsl */ `
// What a head has to say, of which there may be no such one.
fn weighed(row: Row, head: i32, sum: vec4f) -> vec4f {
  if (head >= word(HEADS)) { return vec4f(); }
  let logits = real(SCALE) * sum;
  // NaN stays NaN.
  let positive = select(logits, vec4f(), logits < vec4f());
  return weights[(row.batch * word(HEADS) + head) * word(TOKENS) + row.token] * positive;
}
`;
