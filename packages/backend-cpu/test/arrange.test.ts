import fc from 'fast-check';

import { dtypes, seeds, shapes, upTo, whole } from './support/arbitraries.js';
import { sizeOf, uniform, wholes } from './support/numbers.js';
import { operation } from './support/operation.js';

const four = fc.tuple(upTo(3), upTo(4), fc.oneof(upTo(9), upTo(200)), upTo(70));

operation(
  'slice',
  fc.record({
    shape: shapes,
    axis: whole(0, 3),
    ends: fc.tuple(upTo(99), upTo(99)),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { shape, axis, ends, stored, seed }) => {
    const at = axis % shape.length;
    const [start, end] = ends.map((n) => n % (shape[at] + 1)).sort((a, b) => a - b);
    return {
      output: table.backend.slice(table.normal(shape, seed, stored), { axis: at, start, end }),
    };
  },
);

operation(
  'permute',
  fc.record({ shape: fc.oneof(shapes, four), stored: dtypes, seed: seeds }),
  (table, { shape, stored, seed }) => {
    const next = uniform(seed);
    const order = shape
      .map((_, axis) => ({ axis, key: next() }))
      .sort((a, b) => a.key - b.key)
      .map(({ axis }) => axis);
    return { output: table.backend.permute(table.normal(shape, seed, stored), order) };
  },
);

operation(
  'permute of heads and tokens',
  fc.record({ shape: four, stored: dtypes, seed: seeds }),
  (table, { shape, stored, seed }) => ({
    output: table.backend.permute(table.normal(shape, seed, stored), [0, 2, 1, 3]),
  }),
);

operation(
  'gather',
  fc.record({
    shape: fc.oneof(
      four,
      fc.tuple(upTo(3), upTo(3), upTo(9)),
      fc.tuple(upTo(3), upTo(3), upTo(9), upTo(3), upTo(9)),
    ),
    picks: fc.array(fc.tuple(whole(0, 99), whole(0, 999)), { minLength: 1, maxLength: 9 }),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { shape, picks, stored, seed }) => ({
    output: table.backend.gather(
      table.normal(shape, seed, stored),
      picks.map(([row, token]) => [row % shape[0], token % shape[2]] as const),
    ),
  }),
);

operation(
  'writeRows',
  fc.record({
    batch: upTo(3),
    heads: upTo(4),
    tokens: fc.oneof(upTo(9), upTo(200)),
    pageSize: upTo(9),
    width: upTo(70),
    // Not from i8 to f16: where a number lies between two halves, the last bit of a scale decides.
    stored: fc.tuple(dtypes, dtypes).filter(([from, to]) => from !== 'i8' || to !== 'f16'),
    seed: seeds,
  }),
  (table, { batch, heads, tokens, pageSize, width, stored, seed }) => {
    const rows = batch * tokens;
    const pages = Math.ceil(rows / pageSize) + 2;
    // Distinct slots in random order; some rows are left out.
    const next = uniform(seed);
    const slots = Array.from({ length: pages * pageSize }, (_, slot) => ({ slot, key: next() }))
      .sort((a, b) => a.key - b.key)
      .slice(0, rows)
      .map(({ slot }) => (next() < 0.2 ? -1 : slot));
    const target = table.normal([pages, heads, pageSize, width], seed + 1, stored[1]);
    const source = table.normal([batch, heads, tokens, width], seed, stored[0]);
    table.backend.writeRows(target, source, Int32Array.from(slots));
    return { target };
  },
);

operation(
  'copyPages',
  fc.record({
    shape: fc.tuple(whole(2, 9), upTo(3), upTo(9), upTo(70)),
    count: upTo(9),
    same: fc.boolean(),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { shape, count, same, stored, seed }) => {
    const [pages] = shape;
    const source = table.normal(shape, seed, stored);
    const target = same ? source : table.normal(shape, seed + 1, stored);
    const to = [...new Set(wholes(count, seed, 0, pages - 1))];
    table.backend.copyPages(source, target, wholes(to.length, seed + 1, 0, pages - 1), to);
    return { target };
  },
);

operation(
  'copyInto',
  fc.record({
    shape: shapes,
    axis: whole(0, 3),
    ends: fc.tuple(upTo(99), upTo(99)),
    stored: dtypes,
    seed: seeds,
  }),
  (table, { shape, axis, ends, stored, seed }) => {
    const at = axis % (shape.length - (stored === 'i8' ? 1 : 0));
    const [start, end] = ends.map((n) => n % (shape[at] + 1)).sort((a, b) => a - b);
    const part = shape.map((length, i) => (i === at ? end - start : length));
    const target = table.normal(shape, seed, stored);
    table.backend.copyInto(target, table.normal(part, seed + 1, stored), { axis: at, at: start });
    return { target };
  },
);

operation(
  'gather of integers',
  fc.record({ shape: fc.tuple(upTo(3), upTo(3), upTo(9)), picks: whole(1, 9), seed: seeds }),
  (table, { shape, picks, seed }) => {
    const integers = Int32Array.from(wholes(sizeOf(shape), seed, -(2 ** 31), 2 ** 31 - 1));
    const tensor = table.keep(table.backend.tensor(integers, { shape, dtype: 'i32' }));
    const list = wholes(picks, seed, 0, 99).map((n) => [n % shape[0], n % shape[2]] as const);
    return { output: table.backend.gather(tensor, list) };
  },
);
