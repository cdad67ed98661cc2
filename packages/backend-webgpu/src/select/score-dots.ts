import { type Kernel, kernel, read, write } from '../device/kernel.js';
import { channels } from './channels.js';
import { fourRows, product, queryRows, range, zeroSums } from './product.js';
import { candidates, KEYS_BOUND, place, type Scoring, scoringText, store } from './tile.js';

/** A kernel that scores by `scale * (q · k)`, softcapped or not. */
export function dotsKernel(scoring: Scoring): Kernel {
  const { dtype, whole, rows, masked, quads, isPart } = scoring;
  const [query, keys] = [channels('query', 'f32', whole), channels('keys', dtype, whole)];
  return kernel({
    name: 'select: score dots',
    enable: quads ? ['subgroups'] : [],
    buffers: {
      rows: read('Row'),
      query: query.use,
      keys: keys.use,
      ...(masked ? { bits: read('u32') } : {}),
      raw: write('vec4f'),
    },
    declarations: `${scoringText(isPart)}${candidates(masked)}${query.source}${keys.source}${FINISHED}`,
    body: /* wgsl */ `${place(scoring, rows)}
  ${queryRows(scoring, (i) => `query_of(rows[min(first + ${i}, last)])`)}
  let key = four_at(word(KEYS), KEYS_FIRST, row, entry);${isPart ? KEYS_BOUND : ''}
  ${zeroSums(scoring)}
  ${product(scoring, { step: `let k = ${fourRows('key', 'keys_channels')};`, term: 'q * k' })}
  ${range(rows)
    .map((r) => store(r, `finished(sum${r})`, isPart ? 'bound' : undefined))
    .join('')}`,
  });
}

const FINISHED = /* wgsl */ `
fn finished(sum: vec4f) -> vec4f {
  let logits = real(SCALE) * sum;
  let cap = real(SOFTCAP);
  if (cap == 0) { return logits; }
  // tanh is 1 long before it overflows; what NaN is clamped to nobody says.
  let capped = cap * tanh(clamp(logits / cap, vec4f(-15), vec4f(15)));
  return select(capped, logits, are_nan(logits));
}
`;
