import { type BufferUse, read } from '../device/kernel.js';
import { unroll } from './unroll.js';

/** What a selection consists of, as far as it makes another kernel. */
export interface Legs {
  /** Every entry; there is nothing else then. */
  readonly all: boolean;
  /** Intervals that follow from a query's position, of all parts of the selection. */
  readonly intervals: number;
  readonly lists: number;
}

/** One list is read where it lies; several are in one buffer, as a kernel may bind only a few. */
export function listBuffers({ lists }: Legs): Record<string, BufferUse> {
  if (lists === 0) return {};
  return lists === 1 ? { ids: read('i32'), counts: read('i32') } : { lists: read('i32') };
}

/** Words of a list in the call: `[heads, queryBlocks, capacity, queryBlock, blockSize, idsAt, countsAt]`. */
export const LIST_WORDS = 7;

/**
 * WGSL that walks what the rows of a block select, leg by leg: intervals first, then lists. Rows have their lists in
 * common; an interval is walked from where it begins for the first query to where it ends for the last, less what
 * another walks that begins before it, and which of it a row reads is for {@link seenBy} to say. What two lists name is
 * walked once.
 */
export function walk(legs: Legs): string {
  const { all, intervals, lists } = legs;
  const ways = [
    ...(all ? ['if (i < walk.all_end) { n = walk.from_entry + i; }'] : []),
    ...Array.from(
      { length: intervals },
      (_, k) => `if (i < walk.interval_ends[${k}]) { n = walk.shifts[${k}] + i; }`,
    ),
    ...Array.from({ length: lists }, (_, l) => listEntry(l)),
  ];
  return /* wgsl */ `
struct Walk {
  batch: i32,
  // Entries that are bound and that a query of the block may see.
  from_entry: i32,
  to_entry: i32,
  length: i32,
  ${all ? 'all_end: i32,' : ''}
  ${intervals > 0 ? `shifts: array<i32, ${intervals}>, interval_ends: array<i32, ${intervals}>,` : ''}
  ${unroll({ l: lists }, 'list$l: i32, count$l: i32, list_begin$l: i32, list_end$l: i32,')}
}

fn position_of(batch: i32, token: i32) -> i32 {
  return first_position(word(POSITIONS), batch) + token;
}

// What queries first to last of a span read; none: last is before first.
fn walk_of(batch: i32, kv_head: i32, first: i32, last: i32) -> Walk {
  let hull = word(HULLS) + 2 * (batch * word(KV_HEADS) + kv_head);
  let visible = visible_at(word(VISIBLE), position_of(batch, last), word(hull + 1));
  var walk: Walk;
  walk.batch = batch;
  walk.from_entry = word(hull);
  walk.to_entry = select(0, visible, first <= last);
  ${all ? 'walk.all_end = max(0, walk.to_entry - walk.from_entry); walk.length = walk.all_end;' : ''}
  ${intervals > 0 ? intervalsOf(intervals) : ''}
  ${unroll({ l: lists }, LIST)}
  return walk;
}
${lists === 1 ? OWN_BUFFERS : ''}${lists > 1 ? ONE_BUFFER : ''}${lists > 1 ? MEMBERSHIP : ''}
// Entry i of the walk; -1: none, or one that was there before.
fn entry_of(walk: Walk, i: i32) -> i32 {
  var n = -1;
  ${ways.join(' else ')}
  return n;
}
`;
}

const intervalsOf = (count: number): string => /* wgsl */ `
  var starts: array<i32, ${count}>;
  var ends: array<i32, ${count}>;
  for (var k = 0; k < ${count}; k++) {
    let bounds = word(INTERVALS) + 4 * k;
    starts[k] = max(walk.from_entry, bound_at(bounds, position_of(batch, first)));
    ends[k] = min(walk.to_entry, bound_at(bounds + 2, position_of(batch, last)));
  }
  for (var k = 0; k < ${count}; k++) {
    var start = starts[k];
    for (var j = 0; j < ${count}; j++) {
      if (starts[j] < starts[k] || (starts[j] == starts[k] && j < k)) { start = max(start, ends[j]); }
    }
    walk.shifts[k] = start - walk.length;
    walk.length += max(start, ends[k]) - start;
    walk.interval_ends[k] = walk.length;
  }`;

const LIST = /* wgsl */ `{
    let about = word(LISTS) + ${LIST_WORDS} * $l;
    let head = select(kv_head, 0, word(about) == 1);
    let list = (batch * word(about) + head) * word(about + 1) + first / word(about + 3);
    walk.list$l = list * word(about + 2);
    walk.count$l = select(0, clamp(list_count($l, list), 0, word(about + 2)), first <= last);
    walk.list_begin$l = walk.length;
    walk.length += walk.count$l * word(about + 4);
    walk.list_end$l = walk.length;
  }`;

const OWN_BUFFERS = /* wgsl */ `
fn list_count(l: i32, list: i32) -> i32 { return counts[list]; }
fn list_id(l: i32, at: i32) -> i32 { return ids[at]; }
`;
const ONE_BUFFER = /* wgsl */ `
fn list_count(l: i32, list: i32) -> i32 { return lists[word(word(LISTS) + ${LIST_WORDS} * l + 6) + list]; }
fn list_id(l: i32, at: i32) -> i32 { return lists[word(word(LISTS) + ${LIST_WORDS} * l + 5) + at]; }
`;

const MEMBERSHIP = /* wgsl */ `
// Whether a list, whose ids ascend, has the block of entry n.
fn is_listed(l: i32, list: i32, count: i32, n: i32) -> bool {
  let id = n / word(word(LISTS) + ${LIST_WORDS} * l + 4);
  var low = 0;
  var high = count;
  while (low < high) {
    let middle = (low + high) / 2;
    if (list_id(l, list + middle) < id) { low = middle + 1; } else { high = middle; }
  }
  return low < count && list_id(l, list + low) == id;
}
`;

function listEntry(l: number): string {
  const earlier = Array.from(
    { length: l },
    (_, m) => ` || is_listed(${m}, walk.list${m}, walk.count${m}, n)`,
  );
  return `if (i < walk.list_end${l}) {
    let j = i - walk.list_begin${l};
    let size = word(word(LISTS) + ${LIST_WORDS * l + 4});
    n = list_id(${l}, walk.list${l} + j / size) * size + j % size;
    if (n < walk.from_entry || n >= walk.to_entry${earlier.join('')}) { n = -1; }
  }`;
}

/** WGSL of what tells which entries row r of a thread reads: `start$r_0`, `length$r_0` and so on. */
export function sightOf({ intervals }: Legs): string {
  const one = (k: number): string => `
  let start$r_${k} = max(0, bound_at(word(INTERVALS) + ${4 * k}, row$r.position));
  let stop$r_${k} = bound_at(word(INTERVALS) + ${4 * k + 2}, row$r.position);
  let length$r_${k} = u32(max(start$r_${k}, stop$r_${k}) - start$r_${k});`;
  return Array.from({ length: intervals }, (_, k) => one(k)).join('');
}

/** WGSL: whether entry c of a thread's, `i$c` of the walk, is in one of the legs of intervals. */
export function legOf({ intervals, lists }: Legs): string {
  if (intervals === 0 || lists === 0) return '';
  return `let ranged$c = i$c < walk.interval_ends[${intervals - 1}];`;
}

/**
 * WGSL: whether row r reads entry c, `n$c`, in this leg. What lies in any of the row's intervals is read in the legs of
 * intervals, and all else in those of lists.
 */
export function seenBy({ intervals, lists }: Legs): string {
  const visible = '(u32(n$c) < u32(row$r.visible))';
  if (intervals === 0) return visible;
  const within = Array.from(
    { length: intervals },
    (_, k) => `(u32(n$c - start$r_${k}) < length$r_${k})`,
  );
  const inAny = `(${within.join(' | ')})`;
  return `${visible} & ${lists === 0 ? inAny : `(${inAny} == ranged$c)`}`;
}
