import { cpu } from '@jit-attention/backend-cpu';

import { runStages, type Show, type Stage } from '../terminal/progress.js';
import type { Measured } from '../terminal/suite.js';
import type { ModelPlan } from './plan.js';
import type { Adapter } from './gpu/messages.js';
import { measureQuality, type Quality } from './quality.js';
import { speedStages } from './speed/stages.js';
import { type Anatomy, type Host, inspect } from './subject.js';

/** What came out of a run. */
export interface ModelRun {
  readonly plan: ModelPlan;
  readonly anatomy: Anatomy;
  readonly qualities: readonly Quality[];
  readonly speeds: readonly Measured[];
  /** The GPU, where that was timed. */
  readonly gpu?: Adapter | undefined;
}

/** Quality on all cores, then speed on as many threads as were asked for. */
export async function measureModel(plan: ModelPlan, show: Show): Promise<ModelRun> {
  const { anatomy, qualities } = await withHost(plan.qualityThreads, async (host) => {
    const found: { anatomy?: Anatomy; qualities: Quality[] } = { qualities: [] };
    await runStages(qualityStages(plan, host, found), show);
    return { anatomy: found.anatomy!, qualities: found.qualities };
  });
  const speeds: Measured[] = [];
  let gpu: Adapter | undefined;
  await withHost(plan.speed.threads, async (host) => {
    const { stages, dispose } = speedStages(plan, {
      host,
      anatomy,
      onDone: (one) => speeds.push(one),
      onAdapter: (adapter) => (gpu = adapter),
    });
    await runStages(stages, show).finally(dispose);
  });
  return { plan, anatomy, qualities, speeds, gpu };
}

async function withHost<T>(threads: number, use: (host: Host) => Promise<T>): Promise<T> {
  const backend = await cpu({ threads });
  try {
    return await use({ backend, threads });
  } finally {
    await backend.dispose?.();
  }
}

function qualityStages(
  plan: ModelPlan,
  host: Host,
  found: { anatomy?: Anatomy; qualities: Quality[] },
): Stage[] {
  const { subject, tasks, variants } = plan;
  const adopting: Stage = {
    title: `Adopting ${subject.model}, and comparing it with the original`,
    run: async () => {
      found.anatomy = await inspect(subject, host);
    },
  };
  const comparing: Stage = {
    title: `Letting ${subject.model} read ${subject.textName}, and look for codes in it`,
    run: async ({ at }) => {
      const { vocabulary } = found.anatomy!;
      found.qualities = await measureQuality({ subject, host, tasks, variants, vocabulary, at });
    },
  };
  return tasks.reading + tasks.haystacks > 0 ? [adopting, comparing] : [adopting];
}
