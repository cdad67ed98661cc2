/** A workgroup of so many threads is a quad, which needs no barriers; for devices whose subgroups are quads. */
export const QUAD = 4;

/**
 * WGSL of `NAME(lane, x: TYPE) -> TYPE`: what the `x` of all threads of a workgroup come to, the same for all of them
 * and every time. `join` is WGSL of two, `a` and `b`, in either order. Every thread calls it.
 */
export function together(name: string, type: string, threads: number, join: string): string {
  return threads === QUAD ? inQuad(name, type, join) : inWorkgroup(name, type, threads, join);
}

function inQuad(name: string, type: string, join: string): string {
  return /* wgsl */ `
@diagnostic(off, subgroup_uniformity)
fn ${name}(lane: u32, x: ${type}) -> ${type} {
  var a = x;
  var b = quadSwapX(a);
  a = ${join};
  b = quadSwapY(a);
  return ${join};
}
`;
}

function inWorkgroup(name: string, type: string, threads: number, join: string): string {
  return /* wgsl */ `
var<workgroup> ${name}_parts: array<${type}, ${threads}>;
var<workgroup> ${name}_whole: ${type};

fn ${name}(lane: u32, x: ${type}) -> ${type} {
  ${name}_parts[lane] = x;
  workgroupBarrier();
  if (lane == 0) {
    var a = x;
    for (var i = 1u; i < ${threads}; i++) {
      let b = ${name}_parts[i];
      a = ${join};
    }
    ${name}_whole = a;
  }
  return workgroupUniformLoad(&${name}_whole);
}
`;
}

/** A sum over threads: of those in front of this one, and of all. */
const SUMS = (name: string, type: string): string => `
struct ${name}_sums { before: ${type}, all: ${type} }
`;

/** WGSL of `NAME(lane, x: TYPE) -> NAME_sums { before, all }`: sums of `x`. Every thread calls it. */
export function inFront(name: string, type: string, threads: number): string {
  if (threads === QUAD) return SUMS(name, type) + inFrontInQuad(name, type);
  return /* wgsl */ `${SUMS(name, type)}
var<workgroup> ${name}_parts: array<${type}, ${threads}>;
var<workgroup> ${name}_all: ${type};

fn ${name}(lane: u32, x: ${type}) -> ${name}_sums {
  ${name}_parts[lane] = x;
  workgroupBarrier();
  if (lane == 0) {
    var sum = ${type}();
    for (var i = 0u; i < ${threads}; i++) {
      let own = ${name}_parts[i];
      ${name}_parts[i] = sum;
      sum += own;
    }
    ${name}_all = sum;
  }
  workgroupBarrier();
  return ${name}_sums(${name}_parts[lane], ${name}_all);
}
`;
}

function inFrontInQuad(name: string, type: string): string {
  return /* wgsl */ `
@diagnostic(off, subgroup_uniformity)
fn ${name}(lane: u32, x: ${type}) -> ${name}_sums {
  let first = quadBroadcast(x, 0u);
  let second = first + quadBroadcast(x, 1u);
  let third = second + quadBroadcast(x, 2u);
  let all = third + quadBroadcast(x, 3u);
  switch (lane) {
    case 0: { return ${name}_sums(${type}(), all); }
    case 1: { return ${name}_sums(first, all); }
    case 2: { return ${name}_sums(second, all); }
    default: { return ${name}_sums(third, all); }
  }
}
`;
}
