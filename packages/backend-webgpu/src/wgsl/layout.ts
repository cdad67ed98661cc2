/**
 * What a {@link Descriptor} writes, as kernels read it: functions on indices of `words`. Indices, ids and positions
 * are i32, offsets into a storage buffer (words of 32 bits) u32.
 */
export const LAYOUT = /* wgsl */ `
fn word(at: i32) -> i32 { return words[at]; }
fn real(at: i32) -> f32 { return bitcast<f32>(words[at]); }

// Rounds down, also below zero.
fn floor_div(a: i32, b: i32) -> i32 {
  let quotient = a / b;
  return select(quotient, quotient - 1, a % b < 0);
}

fn bound_at(bound: i32, position: i32) -> i32 {
  let stride = words[bound + 1];
  if (stride == 0) { return words[bound]; }
  return floor_div(position + words[bound], stride);
}

fn visible_at(bound: i32, position: i32, length: i32) -> i32 {
  return clamp(bound_at(bound, position), 0, length);
}

fn first_position(positions: i32, row: i32) -> i32 { return words[words[positions] + row]; }
fn query_count(positions: i32, row: i32) -> i32 { return words[words[positions + 1] + row]; }

fn entries_length(entries: i32, row: i32) -> i32 { return words[words[entries + 3] + row]; }

// The page in storage of entry n, which of its rows has it (negative: none, the page was freed), and where that begins.
fn page_of(entries: i32, row: i32, n: i32) -> i32 {
  return words[words[words[entries + 4] + row] + n / words[entries]];
}
fn row_of_entry(entries: i32, row: i32, head: i32, n: i32) -> i32 {
  let size = words[entries];
  return (page_of(entries, row, n) * words[entries + 1] + head) * size + n % size;
}
fn entry_at(entries: i32, row: i32, head: i32, n: i32) -> u32 {
  return u32(row_of_entry(entries, row, head, n)) * u32(words[entries + 2]);
}
`;
