import type { Pick } from '@jit-attention/core';

import { type Kernel, kernel, kernels, write } from '../device/kernel.js';
import { CUTTING } from './cut.js';
import { FORCED_UNITS } from './forced.js';
import { listing, MARKING } from './listing.js';
import { RANKS } from './ranks.js';
import { SLAB } from './slab-layout.js';
import { tallying } from './tally.js';
import { inFront, together } from './together.js';

/**
 * A kernel that picks from the ranks of a slot: ids of what it picks go to the slot's list or, where each row picks
 * for itself, marks to the list's `marks [lists][BIT_WORDS]`. A workgroup has a slot, and a thread neighbouring units
 * of it that nobody else touches.
 *
 * Forced units come first and are counted. Ties go to the lower unit.
 */
export const pickKernel = kernels(
  (pick: Pick['kind'], forces: boolean, marks: boolean, threads: number): Kernel =>
    kernel({
      name: `select: pick ${pick}`,
      threads,
      buffers: {
        ranks: write('vec4u'),
        ...(marks ? { marks: write('atomic<u32>') } : { ids: write('i32'), counts: write('i32') }),
      },
      declarations: [
        ...[SLAB, RANKS, CUTTING],
        together('summed', 'vec4f', threads, 'a + b'),
        inFront('in_front', 'vec2i', threads),
        forces ? FORCED_UNITS : '',
        tallying(pick === 'topp', forces),
        marks ? MARKING : listing(threads),
      ].join(''),
      body: /* wgsl */ `
  let slot = i32(group);
  let at = row_at(first_row(slot));
  let list = ${marks ? 'slab_list(first_row(slot))' : 'at.list'};
  let vectors = (words[word(BLOCK_UNITS) + at.batch * word(QUERY_BLOCKS) + at.block] + 3) / 4;
  let share = (vectors + ${threads - 1}) / ${threads};
  let zero = slot * word(UNITS) / 4;
  let begin = zero + min(i32(lane) * share, vectors);
  let end = zero + min((i32(lane) + 1) * share, vectors);

  let least = ${pick === 'threshold' ? 'max(EXCLUDED + 1, ranks_of(vec4f(real(LIMIT))).x)' : 'EXCLUDED + 1'};
  let tally = summed(lane, tally_of(at, zero, begin, end, least));
  let room = f32(word(ROOM)) - tally.x;
  var cut = Cut(least - 1, 0);
  ${pick === 'topp' ? BY_MASS : ''}
  if (room <= 0) { cut = ONLY_FORCED; }
  else if (room < tally.y) { cut = stricter(cut, cut_at(lane, begin, end, room, false)); }

  var own = vec2i();
  for (var v = begin; v < end; v++) {
    own += vec2i(count_of(ranks[v] > vec4u(cut.limit)), count_of(ranks[v] == vec4u(cut.limit)));
  }
  let before = in_front(lane, own);
  let equal = i32(min(cut.equal, MOST));
  var place = before.x + min(before.y, equal);
  var level = before.y;
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
  ${marks ? '' : 'finish(lane, list, in_front_total.x + min(in_front_total.y, equal));'}`,
    }),
);

/** The fewest whose sum reaches a share of what all come to, the forced ones included. */
const BY_MASS = /* wgsl */ `
  let wanted = real(LIMIT) * (tally.z + tally.w) - tally.z;
  if (wanted > 0) { cut = cut_at(lane, begin, end, wanted, true); }
  else { cut = ONLY_FORCED; }`;
