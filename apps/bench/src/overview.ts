import type { Activations, ActivationsSource } from './activations.js';
import { openActivations } from './activations.js';
import { assertBackends, type Device, openDevices, skippedDevices } from './backends.js';
import { DENSE, isDense } from './candidates/built-in.js';
import { type Candidate, seriesOf } from './candidates/candidate.js';
import { candidatesOf, resolveStrategies, type Source } from './candidates/resolve.js';
import { type LayerTask, measureLayer, type OnWork, workOf } from './measure/layer.js';
import { mapMass, type MassMap } from './measure/mass.js';
import { drawRuns, lastRuns } from './measure/runs.js';
import type { LayerInput } from './measure/walk.js';
import { firstTokens } from './model/index.js';
import { assertConsistent, type OverviewOptions } from './options/overview-options.js';
import { recommend, type Recommendation } from './recommend.js';
import { type Group, summariesOf } from './summary.js';

/** Everything that is asked for, checked; nothing has been computed yet. */
export interface OverviewPlan {
  readonly source: ActivationsSource;
  readonly devices: readonly Device[];
  /** A sentence for each thing that was asked for and cannot be. */
  readonly skipped: readonly string[];
  readonly strategies: readonly Source[];
  readonly budgets: readonly number[] | undefined;
  /** The last so many stretches of a prefill; Infinity: all of it. */
  readonly stretches: number;
  /** On a backend that is too slow for that, so many runs of so many consecutive queries. */
  readonly sample: { readonly runs: number; readonly length: number };
  readonly repetitions: number;
  readonly seed: number;
}

/** What the overview found out. */
export interface Overview {
  readonly plan: OverviewPlan;
  readonly activations: Activations;
  /** By device and length of context. */
  readonly groups: readonly Group[];
  /** From the longest context on the first device. */
  readonly recommendations: readonly Recommendation[];
  readonly mass: MassMap | undefined;
}

/** A run is a page, so that each starts where a page does; four of them are enough for a backend in f64. */
const FULL = { stretches: Infinity, sample: { runs: 4, length: 64 }, repetitions: 3 };
const QUICK = { stretches: 2, sample: { runs: 4, length: 32 }, repetitions: 1 };

/** Layers that are looked through for a head to show. */
const MAPPED_LAYERS = 2;

/** @throws {InputError} for whatever is wrong with the options, before any work */
export async function planOverview(options: OverviewOptions): Promise<OverviewPlan> {
  assertConsistent(options);
  assertBackends(options.backend, options.threads);
  const strategies = await resolveStrategies(options.strategy);
  const source = openActivations(options);
  const devices = await openDevices(options.backend, options.threads);
  const skipped = skippedDevices(options.backend, options.threads);
  const { budget: budgets, seed, quick } = options;
  return { source, devices, skipped, strategies, budgets, seed, ...(quick ? QUICK : FULL) };
}

/** Measures every strategy at every budget in every layer, on every device and length of context. */
export async function measureOverview(
  plan: OverviewPlan,
  activations: Activations,
  onWork: (share: number, doing: string) => void,
): Promise<Group[]> {
  const groups = plan.devices.flatMap((device) =>
    plan.source.tokens.map((tokens) => ({
      device,
      tokens,
      tasks: tasksOf(plan, activations, device, tokens),
    })),
  );
  const all = groups.flatMap(({ tasks }) => tasks).reduce((sum, task) => sum + workOf(task), 0);
  let done = 0;
  const measured: Group[] = [];
  for (const { device, tokens, tasks } of groups) {
    const measurements = [];
    for (const task of tasks) {
      const report: OnWork = (runs, doing) =>
        onWork((done += runs) / all, `layer ${task.input.layer}: ${doing}`);
      measurements.push(...(await measureLayer(task, report)));
    }
    measured.push({ device, tokens, measurements });
  }
  return measured;
}

function tasksOf(
  plan: OverviewPlan,
  { data }: Activations,
  device: Device,
  tokens: number,
): LayerTask[] {
  const { config, layers } = firstTokens(data, tokens);
  const candidates = candidatesOf(plan.strategies, tokens, plan.budgets);
  const runs =
    device.entry.queries === 'all'
      ? lastRuns(tokens, plan.stretches)
      : drawRuns(tokens, plan.sample, plan.seed);
  const { repetitions } = plan;
  const dense = candidates.find(isDense)!;
  return layers.map((layer) => ({
    device,
    dense,
    input: { ...layer, config },
    candidates,
    runs,
    repetitions,
  }));
}

/** The group that recommendations are made from and pictures drawn of: the longest context on the first device. */
export function mainGroup(groups: readonly Group[]): Group {
  const first = groups.filter(({ device }) => device === groups[0].device);
  return first.at(-1)!;
}

export function recommendFor(groups: readonly Group[]): Recommendation[] {
  return recommend(mainGroup(groups).measurements);
}

/** Maps attention where the choice of a strategy matters most; undefined where there is nothing to compare. */
export async function mapOverview(groups: readonly Group[]): Promise<MassMap | undefined> {
  const group = mainGroup(groups);
  const candidates = comparable(group);
  if (candidates.length === 0) return undefined;
  const inputs = mostDisputed(group, candidates);
  return mapMass(group.device, inputs, DENSE.at(undefined), candidates);
}

/** Of each kind of strategy that has passed everywhere the one whose budget is nearest an eighth of the context. */
function comparable(group: Group): Candidate[] {
  const target = group.tokens / 8;
  const distance = ({ budget }: Candidate): number =>
    Math.abs(Math.log((budget ?? target) / target));
  const passed = summariesOf(group)
    .filter(({ error, recallMean }) => error === undefined && recallMean !== undefined)
    .map(({ candidate }) => candidate)
    .filter((candidate) => !isDense(candidate));
  const kinds = [...new Set(passed.map(seriesOf))];
  return kinds.map(
    (kind) =>
      passed
        .filter((candidate) => seriesOf(candidate) === kind)
        .sort((a, b) => distance(a) - distance(b))[0],
  );
}

/** Layers in which the mean recalls of the candidates lie furthest apart. */
function mostDisputed({ measurements }: Group, candidates: readonly Candidate[]): LayerInput[] {
  const inputs = [...new Set(measurements.map(({ input }) => input))];
  const gap = (input: LayerInput): number => {
    const recalls = measurements
      .filter((one) => one.input === input && candidates.includes(one.candidate))
      .map(({ quality }) => quality!.recall!.mean);
    return (recalls.length === 1 ? 1 : Math.max(...recalls)) - Math.min(...recalls);
  };
  return inputs.sort((a, b) => gap(b) - gap(a)).slice(0, MAPPED_LAYERS);
}
