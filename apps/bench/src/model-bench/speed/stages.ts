import type { Case } from '../../race/case.js';
import { race } from '../../race/race.js';
import { rowOf } from '../../race/rows.js';
import type { Stage } from '../../terminal/progress.js';
import type { Measured } from '../../terminal/suite.js';
import type { ModelPlan } from '../plan.js';
import type { RuntimeName } from '../runtimes.js';
import { gpuCase } from '../gpu/case.js';
import { CHECKED } from '../gpu/contender.js';
import { Generators } from '../gpu/generators.js';
import type { Adapter } from '../gpu/messages.js';
import type { Anatomy, Host } from '../subject.js';
import { Bay } from './bay.js';
import { caseNames, speedCase } from './cases.js';
import { checkSame, greedyUncut } from './same.js';

export interface SpeedOptions {
  readonly host: Host;
  readonly anatomy: Anatomy;
  readonly onDone: (measured: Measured) => void;
  /** Called with the GPU, if that is timed. */
  readonly onAdapter: (adapter: Adapter) => void;
}

/** The stages that time and compare, and what they share, to be disposed of after them. */
export function speedStages(
  { subject, parts, speed }: ModelPlan,
  { host, anatomy, onDone, onAdapter }: SpeedOptions,
): { stages: Stage[]; dispose: () => Promise<void> } {
  const bays = new Map<RuntimeName, Bay>();
  const bayOf = (runtime: RuntimeName): Bay => {
    const bay = bays.get(runtime) ?? new Bay(subject, host, anatomy.sizes, runtime);
    bays.set(runtime, bay);
    return bay;
  };
  const timed = caseNames(parts, speed).map(({ name, runtime }): Stage => ({
    title: `Timing ${name} beside ${runtime}`,
    async run({ at }) {
      const bay = bayOf(runtime);
      const { picksRows } = await bay.uncut();
      const one = speedCase(name, { bay, plan: speed, layers: anatomy.layers, picksRows });
      onDone(await timeCase(one, speed.rounds, at));
    },
  }));
  const gpu: Stage = {
    title: 'Timing gpu-decode beside transformers.js, in Chromium',
    async run({ at }) {
      const bay = bayOf('onnxruntime-node');
      const expected = async (tokens: number): Promise<number[]> =>
        greedyUncut(await bay.uncut(), subject.text.slice(0, tokens), CHECKED);
      const generators = new Generators(subject, anatomy.sizes, speed.threads);
      try {
        const one = gpuCase({ generators, contexts: speed.gpu, expected });
        onDone(await timeCase(one, speed.rounds, at));
        if (generators.adapter) onAdapter(generators.adapter);
      } finally {
        await generators.close();
      }
    },
  };
  const same: Stage = {
    title: 'Comparing with the uncut model: logits, and tokens',
    async run({ at }) {
      const bay = bayOf('onnxruntime-node');
      const web = speed.web ? bayOf('onnxruntime-web') : undefined;
      onDone(await checkSame({ bay, web, tokens: speed.same, at }));
    },
  };
  return {
    stages: [
      ...timed,
      ...(parts.includes('gpu') && speed.gpu.length > 0 ? [gpu] : []),
      ...(parts.includes('same') ? [same] : []),
    ],
    dispose: async () => {
      for (const bay of bays.values()) await bay.dispose();
    },
  };
}

async function timeCase(
  one: Case,
  rounds: number,
  at: (share: number, doing: string) => void,
): Promise<Measured> {
  const outcomes = await race(one.contenders, {
    rounds,
    onLap: (share, { facts }) =>
      at(share, `${facts.implementation} ${facts.strategy} ${facts.tokens}`),
  });
  return { case: one, rows: outcomes.map((outcome) => rowOf('model', one, outcome)) };
}
