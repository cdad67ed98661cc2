import fc from 'fast-check';

import { sizeOf } from '../../src/array.js';
import { codeRows } from '../../src/backend/arrays.js';
import { shuffled, uniform, wholes } from '../../src/random.js';
import {
  dtypes,
  normal,
  type Operation,
  operation,
  seeds,
  shapes,
  upTo,
  whole,
} from './support.js';

const four = fc.tuple(upTo(3), upTo(4), fc.oneof(upTo(9), upTo(200)), upTo(70));

export const ARRANGE: readonly Operation[] = [
  operation(
    'slice',
    fc.record({
      shape: shapes,
      axis: whole(0, 3),
      ends: fc.tuple(upTo(99), upTo(99)),
      stored: dtypes,
      seed: seeds,
    }),
    (bench, { shape, axis, ends, stored, seed }) => {
      const at = axis % shape.length;
      const [start, end] = ends.map((n) => n % (shape[at] + 1)).sort((a, b) => a - b);
      return {
        output: bench.backend.slice(normal(bench, shape, seed, stored), { axis: at, start, end }),
      };
    },
  ),

  operation(
    'permute',
    fc.record({ shape: fc.oneof(shapes, four), stored: dtypes, seed: seeds }),
    (bench, { shape, stored, seed }) => {
      const order = shuffled(shape.length, uniform(seed, 'order'));
      return { output: bench.backend.permute(normal(bench, shape, seed, stored), order) };
    },
  ),

  operation(
    'permute of heads and tokens',
    fc.record({ shape: four, stored: dtypes, seed: seeds }),
    (bench, { shape, stored, seed }) => ({
      output: bench.backend.permute(normal(bench, shape, seed, stored), [0, 2, 1, 3]),
    }),
  ),

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
    (bench, { shape, picks, stored, seed }) => ({
      output: bench.backend.gather(
        normal(bench, shape, seed, stored),
        picks.map(([row, token]) => [row % shape[0], token % shape[2]] as const),
      ),
    }),
  ),

  operation(
    'writeRows',
    fc.record({
      batch: upTo(3),
      heads: upTo(4),
      tokens: fc.oneof(upTo(9), upTo(200)),
      pageSize: upTo(9),
      width: upTo(70),
      stored: fc.tuple(dtypes, dtypes),
      seed: seeds,
    }),
    (bench, { batch, heads, tokens, pageSize, width, stored, seed }) => {
      const rows = batch * tokens;
      const pages = Math.ceil(rows / pageSize) + 2;
      // Distinct slots in random order; some rows are left out.
      const next = uniform(seed, 'slots');
      const slots = shuffled(pages * pageSize, next)
        .slice(0, rows)
        .map((slot) => (next() < 0.2 ? -1 : slot));
      const target = normal(bench, [pages, heads, pageSize, width], seed + 1, stored[1]);
      // Codes for i8: halfway between two, the last bit of a scale decides.
      const from = [batch, heads, tokens, width];
      const source =
        stored[1] === 'i8'
          ? bench.tensor(codeRows(seed, 'source', from), stored[0])
          : normal(bench, from, seed, stored[0]);
      bench.backend.writeRows(target, source, Int32Array.from(slots));
      return { target };
    },
  ),

  operation(
    'copyPages',
    fc.record({
      shape: fc.tuple(whole(2, 9), upTo(3), upTo(9), upTo(70)),
      count: upTo(9),
      same: fc.boolean(),
      stored: dtypes,
      seed: seeds,
    }),
    (bench, { shape, count, same, stored, seed }) => {
      const [pages] = shape;
      const source = normal(bench, shape, seed, stored);
      const target = same ? source : normal(bench, shape, seed + 1, stored);
      const next = uniform(seed, 'pages');
      const to = shuffled(pages, next).slice(0, count);
      const from = [...wholes(to.length, next, [0, pages - 1])];
      bench.backend.copyPages(source, target, from, to);
      return { target };
    },
  ),

  operation(
    'copyInto',
    fc.record({
      shape: shapes,
      axis: whole(0, 3),
      ends: fc.tuple(upTo(99), upTo(99)),
      stored: dtypes,
      seed: seeds,
    }),
    (bench, { shape, axis, ends, stored, seed }) => {
      // Not the last of i8: what its rows hold depends on all of their numbers.
      const at = axis % (shape.length - (stored === 'i8' ? 1 : 0));
      const [start, end] = ends.map((n) => n % (shape[at] + 1)).sort((a, b) => a - b);
      const part = shape.map((length, i) => (i === at ? end - start : length));
      const target = normal(bench, shape, seed, stored);
      bench.backend.copyInto(target, normal(bench, part, seed + 1, stored), {
        axis: at,
        at: start,
      });
      return { target };
    },
  ),

  operation(
    'gather of integers',
    fc.record({ shape: fc.tuple(upTo(3), upTo(3), upTo(9)), picks: whole(1, 9), seed: seeds }),
    (bench, { shape, picks, seed }) => {
      const next = uniform(seed, 'integers');
      const any = () => Math.floor(2 ** 32 * next());
      const tensor = bench.integers(Int32Array.from({ length: sizeOf(shape) }, any), shape);
      const list = Array.from(
        { length: picks },
        () => [any() % shape[0], any() % shape[2]] as const,
      );
      return { output: bench.backend.gather(tensor, list) };
    },
  ),
];
