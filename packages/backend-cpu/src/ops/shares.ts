import type { Host } from '../host.js';

/** Bytes that one task moves or computes on: some 20 microseconds, a few times what waking a thread costs. */
const TASK_BYTES = 1 << 17;
/** Tasks a thread, where there is enough: the last to finish does not keep the others waiting long. */
const TASKS = 4;

/** Cuts equal items into tasks: `[items of a task, tasks]`. */
export function shares(
  { threads }: Host,
  items: number,
  bytesOfItem: number,
): [share: number, tasks: number] {
  const least = Math.max(1, Math.ceil(TASK_BYTES / Math.max(1, bytesOfItem)));
  const share = Math.max(least, Math.ceil(items / (TASKS * threads)));
  return [share, Math.ceil(items / share)];
}
