import type { AttendResult } from '../backend.js';
import type { Tensor } from '../tensor.js';
import { floatsOf } from './storage.js';

type Part = Pick<AttendResult, 'output' | 'logSumExp'>;

/** See `Ops.merge`. */
export function merge(
  parts: readonly Part[],
  { gates, sinkLogits }: { gates?: Tensor | undefined; sinkLogits?: Tensor | undefined },
): { output: Float64Array; logSumExp: Float64Array } {
  const [, heads, tokens, width] = parts[0].output.shape;
  const outputs = parts.map((part) => floatsOf(part.output));
  const sums = parts.map((part) => floatsOf(part.logSumExp));
  const output = new Float64Array(outputs[0].length);
  const logSumExp = new Float64Array(sums[0].length);
  const sinks = sinkLogits && floatsOf(sinkLogits);

  for (let at = 0; at < logSumExp.length; at++) {
    const own = sums.map((lse) => lse[at]);
    logSumExp[at] = logSum(own);
    const sink = sinks ? sinks[Math.floor(at / tokens) % heads] : -Infinity;
    const most = Math.max(...own, sink);
    const sum = sumOf([...own, sink], most);
    for (const [i, lse] of own.entries()) {
      if (lse === -Infinity) continue; // An empty part has no say, whatever it and its gate (of padding) hold.
      const weight = gates ? floatsOf(gates)[at * parts.length + i] : shareOf(lse, most) / sum;
      for (let d = 0; d < width; d++) output[at * width + d] += weight * outputs[i][at * width + d];
    }
  }
  return { output, logSumExp };
}

function logSum(logs: readonly number[]): number {
  const most = Math.max(...logs);
  return most + Math.log(sumOf(logs, most));
}

function sumOf(logs: readonly number[], most: number): number {
  return logs.reduce((sum, log) => sum + shareOf(log, most), 0);
}

/** `e^(log - most)`; the largest is 1, be it infinite. */
function shareOf(log: number, most: number): number {
  if (log === -Infinity) return 0;
  return log === most ? 1 : Math.exp(log - most);
}
