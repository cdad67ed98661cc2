/** WGSL: where the rows of an entry begin in the buffers of keys and values. */
export function places({
  samePages,
  isPart,
}: {
  /** Whether values lie in their pages as keys do in theirs. */
  readonly samePages: boolean;
  /** Whether it is but a part of the buffers that is bound. */
  readonly isPart: boolean;
}): string {
  const outside = '(key < word(KEYS_FIRST)) | (key >= word(KEYS_END))';
  const valueOutside = '(value < word(VALUES_FIRST)) | (value >= word(VALUES_END))';
  const absent = ['n < 0', 'page < 0', ...(isPart ? [outside, valueOutside] : [])];
  return /* wgsl */ `
struct Pages { table: i32, size: i32, heads: i32, row_words: u32 }

fn pages_of(entries: i32, batch: i32) -> Pages {
  return Pages(
    word(word(entries + 4) + batch), word(entries), word(entries + 1), u32(word(entries + 2)),
  );
}

struct Entry {
  // -1: none.
  n: i32,
  // Words of the buffers.
  key: u32,
  value: u32,
}

fn place_of(n: i32, head: i32, keys: Pages, values: Pages) -> Entry {
  let at = max(n, 0);
  let page = word(keys.table + at / keys.size);
  let key = (page * keys.heads + head) * keys.size + at % keys.size;
  ${samePages ? 'let value = key;' : OWN_PAGE}
  let is_absent = ${absent.map((one) => `(${one})`).join(' | ')};
  // Of what is absent, another.
  return Entry(
    select(n, -1, is_absent),
    u32(select(key${isPart ? ' - word(KEYS_FIRST)' : ''}, 0, is_absent)) * keys.row_words${isPart ? ' + u32(word(KEYS_SKIP))' : ''},
    u32(select(value${isPart ? ' - word(VALUES_FIRST)' : ''}, 0, is_absent)) * values.row_words${isPart ? ' + u32(word(VALUES_SKIP))' : ''},
  );
}
`;
}

const OWN_PAGE = /* wgsl */ `let value_page = word(values.table + at / values.size);
  let value = (value_page * values.heads + head) * values.size + at % values.size;`;
