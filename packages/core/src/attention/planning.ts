import type { KeptPlan, Plan, PlanChunk } from '../plan.js';
import { type Positions, samePositions } from '../positions.js';
import type { Step } from '../strategy.js';
import type { Tensor } from '../tensor.js';
import type { Execution } from './execute.js';
import { guarded } from './guarded.js';
import type { Scope } from './scope.js';

/** One chunk of a call's queries. */
export interface Chunk {
  readonly query: Tensor;
  readonly positions: Positions;
  /** Its rows of a tensor that is per query. */
  readonly rows: (tensor: Tensor) => Tensor;
}

/** Asks the strategy for the plan of a chunk. */
export async function planChunk(call: Execution, scope: Scope, chunk: Chunk): Promise<Plan> {
  const { site, keys, values, visible, index, aux, inputs } = call;
  const { query, positions, rows } = chunk;
  const step: Step = {
    query,
    keys,
    values: values === 'keys' ? keys : values,
    positions,
    visible,
    index,
    aux: Object.fromEntries(Object.entries(aux).map(([name, tensor]) => [name, rows(tensor)])),
    layer: site.layer,
    ops: scope.stepOps({ positions, visible }),
    from: earlierChunk(inputs.from, positions),
    feedback: await call.feedback.due(),
  };
  return guarded(site.strategy, 'plan', () => site.strategy.plan(step));
}

/** The chunk of another layer at these positions; for an earlier step's plan, its last. */
function earlierChunk(from: KeptPlan | undefined, positions: Positions): PlanChunk | undefined {
  const same = from?.chunks.find((chunk) => samePositions(chunk.positions, positions));
  return same ?? from?.chunks.at(-1);
}
