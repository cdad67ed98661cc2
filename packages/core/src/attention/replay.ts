import { PlanError } from '../errors.js';
import type { KeptPlan } from '../plan.js';
import { type Positions, samePositions } from '../positions.js';

/**
 * Whether a kept plan can be repeated: same batch, chunks and positions.
 * @throws {PlanError} `PLAN_MISMATCH`
 */
export function assertReplay(where: string, plan: KeptPlan, chunks: readonly Positions[]): void {
  plan.assertLive();
  const describe = (positions: readonly Positions[]): string =>
    positions.map(({ first, counts }) => `${first.join('/')}+${counts.join('/')}`).join(', ');
  const own = plan.chunks.map((chunk) => chunk.positions);
  const fits =
    own.length === chunks.length &&
    own.every((positions, i) => samePositions(positions, chunks[i]));
  if (fits) return;
  throw new PlanError(
    `${where}: expected the positions of the plan, ${describe(own)}, got ${describe(chunks)}`,
    {
      code: 'PLAN_MISMATCH',
      expected: describe(own),
      actual: describe(chunks),
      hint: 'a plan is repeated at its own positions and queryChunk; give it as `from` to let the strategy adapt it',
    },
  );
}
