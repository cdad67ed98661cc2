import { SPEC } from './spec.js';

/**
 * WGSL that finds its way about a slab. Its rows lie in the order [pair][query block][kv head][cell and head], and its
 * lists in the order [pair][query block]; a pair is a batch row and a list head.
 */
export const SLAB = /* wgsl */ `${SPEC}
// Rows that read the same keys: the row of a kv head that is their first, of all cells and heads that it has.
struct Segment { batch: i32, kv_head: i32, first: i32 }

fn segment_at(i: i32) -> Segment {
  let kv = word(KV) + i % word(KVS);
  let block = word(BLOCK) + i / word(KVS) % word(SEGMENT_BLOCKS);
  let pair = word(PAIR) + i / (word(KVS) * word(SEGMENT_BLOCKS));
  let kv_head = pair % word(LIST_HEADS) * word(LIST_KVS) + kv;
  let rows = word(CELLS) * word(HEAD_RUN);
  return Segment(pair / word(LIST_HEADS), kv_head, block * rows + word(ROW));
}

// Where the horizon of a cell of a batch row is.
fn horizon_at(batch: i32, cell: i32) -> i32 {
  return word(HORIZONS) + 2 * (batch * word(QUERY_BLOCKS) * word(CELLS) + cell);
}
fn units_seen(horizon: i32) -> i32 { return words[horizon]; }
fn entries_seen(horizon: i32) -> i32 { return words[horizon + 1]; }

// A row of the slab: its list, the batch row and query block of that, its cell and its query head.
struct Row { list: i32, batch: i32, block: i32, cell: i32, head: i32 }

fn row_at(i: i32) -> Row {
  let row = word(ROW) + i % word(ROWS);
  let kv = word(KV) + i / word(ROWS) % word(KVS);
  let list = slab_list(i);
  let block = word(BLOCK) + list % word(BLOCKS);
  let pair = word(PAIR) + list / word(BLOCKS);
  let kv_head = pair % word(LIST_HEADS) * word(LIST_KVS) + kv;
  return Row(
    pair * word(QUERY_BLOCKS) + block,
    pair / word(LIST_HEADS),
    block,
    block * word(CELLS) + row / word(HEAD_RUN),
    kv_head * word(HEAD_RUN) + row % word(HEAD_RUN),
  );
}

// Which of the slab's lists has a row, and which row is the first of a slot of ranks.
fn slab_list(row: i32) -> i32 { return row / (word(ROWS) * word(KVS)); }
fn first_row(slot: i32) -> i32 { return slot * word(SLOT_KVS) * word(SLOT_ROWS); }
`;
