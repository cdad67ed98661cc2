import type { DType } from '@jit-attention/core';

import { DEFAULT_THREADS, kernel, type Kernel, kernels, read, write } from '../device/kernel.js';
import { foursReader } from '../wgsl/fours.js';

/** Many rows: rows and columns of the result that a thread has; threads side by side, the others below. */
const ROWS = 8;
const COLUMNS = 4;
const ACROSS = 16;
const TILE = { rows: (ROWS * DEFAULT_THREADS) / ACROSS, columns: COLUMNS * ACROSS };

/** Up to as many rows are few. */
const FEW = 8;
/** Few rows: threads that share a column, and columns of a workgroup. */
const LANES = 16;
const FEW_COLUMNS = DEFAULT_THREADS / LANES;

/** The kernel for a product, and its workgroups. `whole`: rows are whole vectors; `quads`: there are subgroups. */
export function productKernel(
  [rows, columns]: readonly [rows: number, columns: number],
  { weight, whole, quads }: { weight: DType; whole: boolean; quads: boolean },
): { kernel: Kernel; groups: number } {
  if (rows <= FEW) {
    const padded = 2 ** Math.ceil(Math.log2(rows));
    return { kernel: fewRows(padded, weight, whole), groups: Math.ceil(columns / FEW_COLUMNS) };
  }
  const groups = Math.ceil(rows / TILE.rows) * Math.ceil(columns / TILE.columns);
  return { kernel: manyRows(weight, whole, quads), groups };
}

/** The words of a product, in order, and what both kernels need of them. */
const WORDS = /* wgsl */ `
const ROWS = 1; const FIRST_ROW = 2; const COLUMNS = 3; const FIRST_COLUMN = 4; const OUT_WIDTH = 5;
const WIDTH = 6; const X_SKIP = 7; const WEIGHT_WORDS = 8; const WEIGHT_SKIP = 9; const Y_SKIP = 10;
const HEADS = 11; const TOKENS = 12; const HAS_BIAS = 13; const ACTIVATION = 14;
fn word(at: i32) -> u32 { return u32(words[at]); }

// Beyond the last one anything will do.
fn x_row(row: u32) -> u32 { return word(X_SKIP) + min(row, word(ROWS) - 1) * word(WIDTH); }
fn weight_row(column: u32) -> u32 {
  return word(WEIGHT_SKIP) + min(column, word(COLUMNS) - 1) * word(WEIGHT_WORDS);
}

// Exponents are cut where the result is 0 for f32: what overflows may be anything.
fn activated(value: f32) -> f32 {
  switch (words[ACTIVATION]) {
    case 1: { return select(value, 0.0, value < 0.0); }
    case 2: { return value / (1.0 + exp(min(-value, 80.0))); }
    case 3: { return 1.0 / (1.0 + exp(min(-value, 80.0))); }
    default: { return value; }
  }
}

fn store(row: u32, column: u32, sum: f32) {
  if (row >= word(ROWS) || column >= word(COLUMNS)) { return; }
  let at = word(FIRST_COLUMN) + column;
  let head = (row + word(FIRST_ROW)) / word(TOKENS) % word(HEADS);
  // Without a bias there is one number, 0.
  let value = sum + bias[(head * word(OUT_WIDTH) + at) * word(HAS_BIAS)];
  y[word(Y_SKIP) + row * word(OUT_WIDTH) + at] = activated(value);
}
`;

/** Of {@link WORDS}. */
export const ACTIVATIONS = ['relu', 'silu', 'sigmoid'] as const;

function parts(weight: DType, whole: boolean) {
  const [xs, weights] = [foursReader('x', 'f32', whole), foursReader('weight', weight, whole)];
  return {
    name: `linear ${weight}`,
    buffers: {
      ...{ x: read(xs.type), weight: read(weights.type) },
      ...{ bias: read('f32'), y: write('f32') },
    },
    declarations: WORDS + xs.text + weights.text,
  };
}

/**
 * A thread has 8 rows × 4 columns of the result in registers, a workgroup 32 × 64. The four lanes of a quad have the
 * same rows; with `quads` each reads two of them and hands them to the others.
 */
const manyRows = kernels((weight: DType, whole: boolean, quads: boolean) => {
  const rows = Array.from({ length: ROWS }, (_, r) => r);
  const own = rows.slice(0, ROWS / 4);
  const places = quads
    ? own.map((i) => `let row${i} = x_row(row + ${4 * i} + place % 4);`)
    : rows.map((r) => `let row${r} = x_row(row + ${r});`);
  const reads = own.map((i) => `let own${i} = x_four(row${i}, d, width);`);
  const four = (r: number): string =>
    quads ? `quadBroadcast(own${r >> 2}, ${r % 4}u)` : `x_four(row${r}, d, width)`;
  return kernel({
    ...parts(weight, whole),
    enable: quads ? ['subgroups'] : [],
    parameters: quads ? '@builtin(subgroup_invocation_id) place: u32,' : '',
    body: /* wgsl */ `
  let across = (word(COLUMNS) + ${TILE.columns - 1}) / ${TILE.columns};
  let row = group / across * ${TILE.rows} + lane / ${ACROSS} * ${ROWS};
  let column = group % across * ${TILE.columns} + lane % ${ACROSS} * ${COLUMNS};
  let width = word(WIDTH);
  let weights = vec4u(
    weight_row(column), weight_row(column + 1), weight_row(column + 2), weight_row(column + 3),
  );
  ${places.join('\n  ')}
  ${rows.map((r) => `var sum${r} = vec4f();`).join(' ')}
  @diagnostic(off, subgroup_uniformity)
  for (var d = 0u; d < width; d += 4) {
    let columns = mat4x4f(
      weight_four(weights.x, d, width),
      weight_four(weights.y, d, width),
      weight_four(weights.z, d, width),
      weight_four(weights.w, d, width),
    );
    ${quads ? reads.join('\n    ') : ''}
    ${rows.map((r) => `sum${r} += ${four(r)} * columns;`).join('\n    ')}
  }
  for (var i = 0u; i < ${COLUMNS}; i++) {
    ${rows.map((r) => `store(row + ${r}, column + i, sum${r}[i]);`).join('\n    ')}
  }`,
  });
});

/** Neighbouring threads share a column, and read its weights side by side. */
const fewRows = kernels((count: number, weight: DType, whole: boolean) => {
  const { name, buffers, declarations } = parts(weight, whole);
  const rows = Array.from({ length: count }, (_, r) => r);
  const dots = rows.map((r) => `sum${r} += dot(four, x_four(row${r}, d, width));`);
  return kernel({
    ...{ name: `${name}, ${count} rows`, buffers },
    declarations: /* wgsl */ `${declarations}
const LANES = ${LANES}u;
var<workgroup> partials: array<array<f32, ${DEFAULT_THREADS}>, ${count}>;`,
    body: /* wgsl */ `
  let column = item / LANES;
  let width = word(WIDTH);
  let weights = weight_row(column);
  ${rows.map((r) => `let row${r} = x_row(${r});`).join(' ')}
  ${rows.map((r) => `var sum${r} = 0.0;`).join(' ')}
  for (var d = 4 * (item % LANES); d < width; d += 4 * LANES) {
    let four = weight_four(weights, d, width);
    ${dots.join('\n    ')}
  }
  ${rows.map((r) => `partials[${r}][lane] = sum${r};`).join(' ')}
  workgroupBarrier();
  for (var row = item % LANES; row < ${count}; row += LANES) {
    var sum = 0.0;
    for (var i = 0u; i < LANES; i++) { sum += partials[row][lane / LANES * LANES + i]; }
    store(row, column, sum);
  }`,
  });
});
