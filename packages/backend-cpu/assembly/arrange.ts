import { convertRow, decodeRow } from './convert';
import { nextTask, pointer, word } from './layout';

/** Moving numbers without changing them, but for their type. */

/**
 * Kernel: rows of f32 from anywhere: row `(i, j, k)` is channels `[first, first + width)` of the stored row at
 * `starts[i] + j * jStep + k * kStep`.
 * [next, total, rows of a task, rows, width, dtype, first, source, starts, j count, j step, k count, k step, target]
 */
export function moveRows(desc: usize): void {
  const share = word(desc, 2);
  const width = word(desc, 4);
  const js = word(desc, 9);
  const ks = word(desc, 11);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    let target = pointer(desc, 13) + <usize>(task * share) * (width << 2);
    for (let row = task * share; row < end; row++) {
      const k = row % ks;
      const j = (row / ks) % js;
      const start = pointer(pointer(desc, 8), row / ks / js);
      const step = <usize>j * word(desc, 10) + <usize>k * word(desc, 12);
      decodeRow(pointer(desc, 7) + start + step, word(desc, 5), word(desc, 6), width, target);
      target += width << 2;
    }
  }
}

/**
 * Kernel: f32 elements in a new order. Output element `(i0, i1, ...)` of `shape` is at `Σ i * stride` (bytes) of the
 * source; a task is a share of the first axis' runs.
 * [next, total, runs of a task, runs, rank, shape, strides, source, target]
 */
export function permuteElements(desc: usize): void {
  const share = word(desc, 2);
  const last = word(desc, 4) - 1;
  const length = word(pointer(desc, 5), last);
  const stride = pointer(pointer(desc, 6), last);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    for (let run = task * share; run < end; run++) {
      let source = runStart(desc, run, last);
      let target = pointer(desc, 8) + <usize>run * (length << 2);
      for (let i = 0; i < length; i++) {
        store<f32>(target, load<f32>(source));
        source += stride;
        target += 4;
      }
    }
  }
}

/** Where the run of the last axis begins that is number `run` of the output. */
function runStart(desc: usize, run: i32, last: i32): usize {
  let source = pointer(desc, 7);
  for (let axis = last - 1; axis >= 0; axis--) {
    const length = word(pointer(desc, 5), axis);
    source += <usize>(run % length) * pointer(pointer(desc, 6), axis);
    run /= length;
  }
  return source;
}

/**
 * Kernel: blocks of bytes. Block `i` goes from `source + from[i]` to `target + to[i]`.
 * [next, total, blocks of a task, blocks, bytes, source, from, target, to]
 */
export function copyBlocks(desc: usize): void {
  const share = word(desc, 2);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(word(desc, 3), (task + 1) * share);
    for (let i = task * share; i < end; i++) {
      const from = pointer(desc, 5) + pointer(pointer(desc, 6), i);
      const to = pointer(desc, 7) + pointer(pointer(desc, 8), i);
      memory.copy(to, from, pointer(desc, 4));
    }
  }
}

/**
 * Kernel: rows `[b, :, t]` of `source [B, heads, T, W]` into slots of `target [pages, heads, pageSize, W]`; slot -1 is
 * left out. A task is a share of the rows of `[B * heads, T]`.
 * [next, total, rows of a task, rows, width, source, dtype, rowBytes, target, dtype, rowBytes, heads, tokens,
 * pageSize, slots]
 */
export function writeSlots(desc: usize, scratch: usize): void {
  const share = word(desc, 2);
  const rows = word(desc, 3);
  for (let task = nextTask(desc); task >= 0; task = nextTask(desc)) {
    const end = min(rows, (task + 1) * share);
    for (let row = task * share; row < end; row++) writeSlot(desc, row, scratch);
  }
}

function writeSlot(desc: usize, row: i32, spare: usize): void {
  const heads = word(desc, 11);
  const tokens = word(desc, 12);
  const pageSize = word(desc, 13);
  const lane = row / tokens;
  const slot = word(pointer(desc, 14), (lane / heads) * tokens + (row % tokens));
  if (slot < 0) return;
  const at = ((slot / pageSize) * heads + (lane % heads)) * pageSize + (slot % pageSize);
  convertRow(
    pointer(desc, 5) + <usize>row * word(desc, 7),
    word(desc, 6),
    pointer(desc, 8) + <usize>at * word(desc, 10),
    word(desc, 9),
    word(desc, 4),
    spare,
  );
}
