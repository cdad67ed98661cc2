import type { Case } from '../../race/case.js';
import { race } from '../../race/race.js';
import { rowOf } from '../../race/rows.js';
import type { Stage } from '../../terminal/progress.js';
import type { Measured } from '../../terminal/suite.js';
import type { ModelPlan } from '../plan.js';
import type { Anatomy, Host } from '../subject.js';
import { Bay } from './bay.js';
import { caseNames, speedCase } from './cases.js';
import { checkSame } from './same.js';

export interface SpeedOptions {
  readonly host: Host;
  readonly anatomy: Anatomy;
  readonly onDone: (measured: Measured) => void;
}

/** The stages that time and compare, and what they share, to be disposed of after them. */
export function speedStages(
  { subject, parts, speed }: ModelPlan,
  { host, anatomy, onDone }: SpeedOptions,
): { stages: Stage[]; bay: Bay } {
  const bay = new Bay(subject, host, anatomy.sizes);
  const timed = caseNames(parts, speed).map((name): Stage => ({
    title: `Timing ${name}`,
    async run({ at }) {
      const { picksRows } = await bay.uncut();
      const one = speedCase(name, { bay, plan: speed, layers: anatomy.layers, picksRows });
      onDone(await timeCase(one, speed.rounds, at));
    },
  }));
  const same: Stage = {
    title: 'Comparing with the uncut model: logits, and tokens',
    run: async ({ at }) =>
      onDone(await checkSame({ bay, host, tokens: speed.same, web: speed.web, at })),
  };
  return { stages: [...timed, ...(parts.includes('same') ? [same] : [])], bay };
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
