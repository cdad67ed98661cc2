import pc from 'picocolors';

import { count, plural } from '../format.js';
import { queriesIn, STRETCH } from '../measure/runs.js';
import { mainGroup, type Overview } from '../overview.js';
import { codeOf, MIN_RECALL_P5 } from '../recommend.js';
import type { Group } from '../summary.js';
import { layerTable, overviewTable } from './table.js';

/** Tables of each device and context, then the recommendation. */
export function printOverview(overview: Overview, print: (text: string) => void): void {
  const { activations, groups, recommendations } = overview;
  for (const group of groups) print(`\n${headerOf(overview, group)}\n\n${overviewTable(group)}\n`);
  const main = mainGroup(groups);
  print(
    `${pc.bold('Layer by layer')}  (recall p5; ${MIN_RECALL_P5} is what a recommendation needs)\n\n${layerTable(main)}\n`,
  );
  const code = codeOf(recommendations, activations.data.config, main.device.entry);
  print(
    `${pc.bold('Recommendation')}  (per layer, the fewest bytes read of what is faster than dense, with a recall p5 of at least ${MIN_RECALL_P5})\n\n${code}`,
  );
  const notes = [...activations.data.warnings, ...overview.plan.skipped];
  for (const warning of notes) print(pc.yellow(`note: ${warning}`));
}

/** What was measured, and how, in the lines above a table. */
function headerOf({ activations, plan }: Overview, group: Group): string {
  const { device, tokens, measurements } = group;
  const { heads, kvHeads, headDim } = activations.data.config;
  const layers = new Set(measurements.map(({ input }) => input.layer)).size;
  return [
    pc.bold(
      `${capitalised(activations.model)} reading ${activations.text}: ${count(tokens)} tokens`,
    ),
    `${plural(layers, 'layer')}, ${heads} heads on ${kvHeads} key/value heads of ${headDim}`,
    `${queriesMeasured(group, plan.seed)}, causal; time: median of ${plan.repetitions}`,
    `backend ${device.name}, ${plural(device.threads, 'thread')}${device.entry.note ? `\n${pc.dim(device.entry.note)}` : ''}`,
  ].join('\n');
}

function queriesMeasured({ device, tokens, measurements }: Group, seed: number): string {
  const queries = count(queriesIn(measurements[0].runs));
  if (device.entry.queries === 'all') {
    const which = queries === count(tokens) ? 'all' : `the last ${queries} of`;
    return `${which} ${count(tokens)} queries a layer, prefilled in stretches of ${STRETCH}`;
  }
  return `${queries} of ${count(tokens)} queries a layer (seed ${seed})`;
}

function capitalised(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
