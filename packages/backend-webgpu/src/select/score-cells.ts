import { type Kernel, kernel, read, write } from '../device/kernel.js';
import { channels } from './channels.js';
import { fourRows, product, queryRows, range, zeroSums } from './product.js';
import { candidates, place, type Scoring, scoringText, store } from './tile.js';

/**
 * A kernel that scores cells of queries against cells of keys, `Σ_r q(S-1-r) · k(r) * scale`: pairs on a diagonal, of
 * which those past the end count as zeros.
 */
export function cellsKernel(scoring: Scoring): Kernel {
  const { dtype, whole, rows, masked, quads, isPart } = scoring;
  const [query, keys] = [channels('query', 'f32', whole), channels('keys', dtype, whole)];
  return kernel({
    name: 'select: score cells',
    enable: quads ? ['subgroups'] : [],
    buffers: {
      rows: read('Row'),
      query: query.use,
      keys: keys.use,
      ...(masked ? { bits: read('u32') } : {}),
      raw: write('vec4f'),
    },
    declarations: `${scoringText(isPart)}${candidates(masked)}${query.source}${keys.source}${cellRows(isPart)}`,
    body: /* wgsl */ `${place(scoring, rows)}
  ${zeroSums(scoring)}
  for (var r = 0; r < word(CELL); r++) {
  ${queryRows(scoring, (i) => `cell_query(rows[min(first + ${i}, last)], word(CELL) - 1 - r)`)}
  let key = vec4u(
    cell_key(row, entry, r), cell_key(row, entry + 1, r),
    cell_key(row, entry + 2, r), cell_key(row, entry + 3, r));
  ${product(scoring, {
    step: `let k = ${fourRows('key', 'existing_key')};`,
    term: isPart ? 'select(vec4f(), q * k, key != vec4u(ABSENT))' : 'q * k',
    read: 'existing_query',
  })}
  }
  ${range(rows)
    .map((r) => store(r, `${isPart ? sumSoFar(r) : ''} real(SCALE) * sum${r}`))
    .join('')}`,
  });
}

/** What the parts before have come to: the keys of a cell may lie in several. */
const sumSoFar = (r: number): string =>
  `select(raw[((first + ${r}) * word(ENTRIES) + entry) / 4], vec4f(), word(BEGINS) == 1) +`;

const cellRows = (isPart: boolean): string => /* wgsl */ `
const ABSENT = 0xffffffffu;

// Query r of a row's cell, and entry r of a cell of keys.
fn cell_query(row: Row, r: i32) -> u32 {
  if (row.token + r >= query_count(word(POSITIONS), row.batch)) { return ABSENT; }
  return query_start(row.batch, row.head, row.token + r);
}
fn cell_key(row: Row, cell: i32, r: i32) -> u32 {
  let n = cell * word(CELL) + r;
  if (n >= entries_length(word(KEYS), row.batch)) { return ABSENT; }
  ${isPart ? 'if (!is_bound(word(KEYS), KEYS_FIRST, row, n)) { return ABSENT; }' : ''}
  return held_at(word(KEYS), KEYS_FIRST, row, n);
}

fn existing_query(row: u32, d: u32) -> vec4f {
  if (row == ABSENT) { return vec4f(); }
  return query_channels(row, d);
}
fn existing_key(row: u32, d: u32) -> vec4f {
  if (row == ABSENT) { return vec4f(); }
  return keys_channels(row, d);
}
`;
