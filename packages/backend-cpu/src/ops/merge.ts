import { assertRank, assertShape, inputError, type Ops, PlanError } from '@jit-attention/core';

import type { Host } from '../host.js';
import { asFloats } from './convert.js';
import { shares } from './shares.js';

/** See `Ops.merge`. */
export function merge(
  host: Host,
  parts: Parameters<Ops['merge']>[0],
  { gates, sinkLogits }: NonNullable<Parameters<Ops['merge']>[1]>,
): ReturnType<Ops['merge']> {
  if (parts.length === 0) throw inputError('merge', 'at least one part', 'none');
  if (gates && sinkLogits)
    throw new PlanError('merge: expected gates or sinkLogits, got both', { code: 'PLAN_INVALID' });
  assertRank('merge: output', parts[0].output, 4);
  const [batch, heads, tokens, width] = parts[0].output.shape as [number, number, number, number];
  for (const { output, logSumExp } of parts) {
    assertShape('merge: output', output, [batch, heads, tokens, width]);
    assertShape('merge: logSumExp', logSumExp, [batch, heads, tokens]);
  }
  if (gates) assertShape('merge: gates', gates, [batch, heads, tokens, parts.length]);
  if (sinkLogits) assertShape('merge: sinkLogits', sinkLogits, [heads]);

  const rows = batch * heads * tokens;
  const [share, tasks] = shares(host, rows, 4 * (parts.length + 1) * width);
  const pairs = parts.flatMap((part) => [
    asFloats(host, part.output),
    asFloats(host, part.logSumExp),
  ]);
  const weights = [gates, sinkLogits].map((tensor) => (tensor ? asFloats(host, tensor) : 0));
  const output = host.make(parts[0].output.shape, 'f32');
  const logSumExp = host.make([batch, heads, tokens], 'f32');
  const desc = host.arena.i32([
    ...[0, tasks, share, rows, width, parts.length, host.arena.i32(pairs), ...weights],
    ...[heads, tokens, host.pointerOf(output), host.pointerOf(logSumExp)],
  ]);
  host.run('mergeParts', desc);
  return { output, logSumExp };
}
