import type { KernelParts } from '../device/kernel.js';
import { ENTRIES, type Tiling } from './tiling.js';
import { unroll } from './unroll.js';

/** How the threads of a team hand each other numbers, as WGSL. `side` is the number of a thread in its team. */
export interface Team {
  readonly parts: Pick<KernelParts, 'enable' | 'parameters' | 'declarations'>;
  /** Makes `best$r` of the largest `top$r`, f32, of the team. */
  readonly best: string;
  /** Makes `x` of the sums of `x` over every thread whose number differs by a multiple of `stride`. */
  readonly sum: (x: string, type: 'f32' | 'u32', stride?: number) => string;
  /** Lets the others have `weight$r_$c`, f32, and `value$c`, u32, until {@link Team.best} is reached again. */
  readonly offer: string;
  /** `weight$r_$c` and `value$c` of the thread `other`. */
  readonly weight: string;
  readonly value: string;
}

export function teamOf(tiling: Tiling): Team {
  return tiling.subgroups ? withinSubgroup(tiling) : throughMemory(tiling);
}

/** Threads of a workgroup are numbered along subgroups, and a team lies in one. */
function withinSubgroup({ rows, team }: Tiling): Team {
  const strides = (from: number): number[] => {
    const all: number[] = [];
    for (let stride = from; stride < team; stride *= 2) all.push(stride);
    return all;
  };
  const most = strides(1).map((s) => `most = max(most, subgroupShuffleXor(most, ${s}u));`);
  return {
    parts: {
      enable: ['subgroups'],
      parameters: '\n  @builtin(subgroup_invocation_id) subgroup_lane: u32,',
      declarations: `
fn team_most(x: f32) -> f32 {
  var most = x;
  ${most.join('\n  ')}
  return most;
}`,
    },
    best: unroll({ r: rows }, 'let best$r = team_most(top$r);'),
    sum: (x, _type, stride = 1) =>
      strides(stride)
        .map((s) => `${x} += subgroupShuffleXor(${x}, ${s}u);`)
        .join(' '),
    offer: 'let team_lane = subgroup_lane - side;',
    weight: 'subgroupShuffle(weight$r_$c, team_lane + other)',
    value: 'subgroupShuffle(value$c, team_lane + other)',
  };
}

function throughMemory({ rows, team, teams }: Tiling): Team {
  const threads = team * teams;
  return {
    parts: {
      declarations: `
var<workgroup> spoken: array<u32, ${rows * threads}>;
var<workgroup> offered_weights: array<f32, ${rows * ENTRIES * threads}>;
var<workgroup> offered_values: array<u32, ${ENTRIES * threads}>;`,
    },
    best: `
${unroll({ r: rows }, `spoken[$ru * ${threads} + lane] = bitcast<u32>(top$r);`)}
workgroupBarrier();
${unroll({ r: rows }, 'var best$r = top$r;')}
for (var other = 0u; other < ${team}; other++) {
  ${unroll({ r: rows }, `best$r = max(best$r, bitcast<f32>(spoken[$ru * ${threads} + lane - side + other]));`)}
}`,
    sum: (x, type, stride = 1) => `
workgroupBarrier();
spoken[lane] = bitcast<u32>(${x});
workgroupBarrier();
${x} = ${type}(0);
for (var other = side % ${stride}; other < ${team}; other += ${stride}) {
  ${x} += bitcast<${type}>(spoken[lane - side + other]);
}`,
    offer: `
${unroll({ r: rows, c: ENTRIES }, `offered_weights[($r * ${ENTRIES} + $c) * ${threads} + lane] = weight$r_$c;`)}
${unroll({ c: ENTRIES }, `offered_values[$c * ${threads} + lane] = value$c;`)}
workgroupBarrier();`,
    weight: `offered_weights[($r * ${ENTRIES} + $c) * ${threads} + lane - side + other]`,
    value: `offered_values[$c * ${threads} + lane - side + other]`,
  };
}
