/**
 * WGSL: what a workgroup, and a thread of it, works for. Rows of a span of queries, which select the same lists, are
 * numbered query by query, and head by head in a query; a block is a run of them.
 */
export const BLOCK = /* wgsl */ `
struct Block {
  batch: i32,
  kv_head: i32,
  // Heads that share the kv head.
  group_size: i32,
  // Of the batch row: where its query 0 is, queries, entries, which of them a query sees.
  position: i32,
  queries: i32,
  length: i32,
  visible: vec2i,
  // Of the span: its first query, and how many rows it has.
  token: i32,
  rows: i32,
  // The first row of the block.
  first: i32,
  // Queries that read; none: the last is before the first.
  first_token: i32,
  last_token: i32,
}

// As bound_at of two words.
fn bound_of(bound: vec2i, position: i32) -> i32 {
  let stride = max(1, bound.y);
  return select(floor_div(position + bound.x, stride), bound.x, bound.y == 0);
}

fn block_of(index: i32, block_rows: i32) -> Block {
  let runs = word(BATCH) * word(KV_HEADS);
  // The last queries see most when causal: they come first.
  let place = word(SPANS) * word(BLOCKS) - 1 - index / runs;
  var block: Block;
  block.batch = index % runs / word(KV_HEADS);
  block.kv_head = index % word(KV_HEADS);
  block.group_size = word(HEADS) / word(KV_HEADS);
  block.position = first_position(word(POSITIONS), block.batch);
  block.queries = query_count(word(POSITIONS), block.batch);
  block.length = entries_length(word(KEYS), block.batch);
  block.visible = vec2i(word(word(VISIBLE)), word(word(VISIBLE) + 1));
  block.token = place / word(BLOCKS) * word(SPAN);
  block.rows = min(word(SPAN), word(TOKENS) - block.token) * block.group_size;
  block.first = place % word(BLOCKS) * block_rows;
  block.first_token = block.token + block.first / block.group_size;
  let last = min(block.first + block_rows, block.rows) - 1;
  block.last_token = min(block.token + last / block.group_size, block.queries - 1);
  return block;
}

struct Row {
  // Whether there is such a row.
  live: bool,
  head: i32,
  token: i32,
  position: i32,
  // Entries that it sees; of padding, none.
  visible: i32,
}

fn row_of(block: Block, i: i32) -> Row {
  // Of those that are not there, another.
  let near = min(i, block.rows - 1);
  let token = block.token + near / block.group_size;
  let position = block.position + token;
  let reads = (i < block.rows) & (token < block.queries);
  return Row(
    i < block.rows,
    block.kv_head * block.group_size + near % block.group_size,
    token,
    position,
    select(0, clamp(bound_of(block.visible, position), 0, block.length), reads),
  );
}

// The number of a row in [BATCH, HEADS, TOKENS].
fn number_of(block: Block, row: Row) -> i32 {
  return (block.batch * word(HEADS) + row.head) * word(TOKENS) + row.token;
}
`;
