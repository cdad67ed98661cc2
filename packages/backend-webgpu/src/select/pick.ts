import type { Pick } from '@jit-attention/core';

import { type Kernel, kernel, kernels, read, write } from '../device/kernel.js';
import { CUTTING } from './cut.js';
import { FORCED_UNITS } from './forced.js';
import { listing, MARKING } from './listing.js';
import { RANKS } from './ranks.js';
import { SPEC } from './spec.js';
import { tallying } from './tally.js';
import { inFront, QUAD, together } from './together.js';

/**
 * A kernel that picks from the ranks of a slot: ids of what it picks go to the slot's list or, where each row picks
 * for itself, marks to the list's `marks [lists][BIT_WORDS]`. A workgroup has a slot, and a thread neighbouring units
 * of it that nobody else touches.
 *
 * Forced units come first and are counted. Ties go to the lower unit.
 */
export const pickKernel: (
  pick: Pick['kind'],
  forces: boolean,
  marks: boolean,
  threads: number,
) => Kernel = kernels((pick, forces, marks, threads) =>
  kernel({
    name: `select: pick ${pick}`,
    threads,
    enable: threads === QUAD ? ['subgroups'] : [],
    buffers: {
      rows: read('Row'),
      ranks: write('vec4u'),
      ...(marks ? { marks: write('atomic<u32>') } : { ids: write('i32'), counts: write('i32') }),
    },
    declarations: [
      ...[SPEC, RANKS, CUTTING],
      together('summed', 'vec4f', threads, 'a + b'),
      inFront('in_front', 'vec2i', threads),
      forces ? FORCED_UNITS : '',
      tallying(pick === 'topp', forces),
      marks ? MARKING : listing(threads),
    ].join(''),
    body: /* wgsl */ `
  let slot = i32(group);
  let row = rows[slot * word(SLOT_ROWS)];
  let block = row.list % word(QUERY_BLOCKS);
  let list = ${marks ? 'slot * word(SLOT_ROWS) / word(LIST_ROWS)' : 'row.list'};
  let units = words[word(BLOCK_UNITS) + row.batch * word(QUERY_BLOCKS) + block];
  let vectors = (units + 3) / 4;
  let share = (vectors + ${threads - 1}) / ${threads};
  let zero = slot * word(UNITS) / 4;
  let begin = zero + min(i32(lane) * share, vectors);
  let end = zero + min((i32(lane) + 1) * share, vectors);

  let least = ${pick === 'threshold' ? 'max(EXCLUDED + 1, ranks_of(vec4f(real(LIMIT))).x)' : 'EXCLUDED + 1'};
  let tally = summed(lane, tally_of(row, block, zero, begin, end, least));
  let room = f32(word(ROOM)) - tally.x;
  var cut = Cut(least - 1, 0);
  ${pick === 'topp' ? BY_MASS : ''}
  if (room <= 0) { cut = ONLY_FORCED; }
  else if (room < tally.y) { cut = stricter(cut, cut_at(lane, begin, end, room, false)); }

  var own = vec2i();
  for (var v = begin; v < end; v++) {
    own += vec2i(count_of(ranks[v] > vec4u(cut.limit)), count_of(ranks[v] == vec4u(cut.limit)));
  }
  let sums = in_front(lane, own);
  let equal = i32(min(cut.equal, MOST));
  var place = sums.before.x + min(sums.before.y, equal);
  var level = sums.before.y;
  for (var v = begin; v < end; v++) {
    let four = ranks[v];
    for (var i = 0; i < 4; i++) {
      if (four[i] < cut.limit) { continue; }
      if (four[i] == cut.limit) {
        level++;
        if (level > equal) { continue; }
      }
      take(list, place, 4 * (v - zero) + i);
      place++;
    }
  }
  ${marks ? '' : 'finish(lane, list, sums.all.x + min(sums.all.y, equal));'}`,
  }),
);

/** The fewest whose sum reaches a share of what all come to, the forced ones included. */
const BY_MASS = /* wgsl */ `
  let wanted = real(LIMIT) * (tally.z + tally.w) - tally.z;
  if (wanted > 0) { cut = cut_at(lane, begin, end, wanted, true); }
  else { cut = ONLY_FORCED; }`;
