/**
 * WGSL of `NAME(lane, x: TYPE) -> TYPE`: what the `x` of all threads of a workgroup come to, the same for all of them
 * and every time. `join` is WGSL of two, `a` and `b`. Every thread calls it.
 */
export function together(name: string, type: string, threads: number, join: string): string {
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

/**
 * WGSL of `NAME(lane, x: TYPE) -> TYPE`: the sum of `x` of the threads in front; afterwards `NAME_total` is that of
 * all. Every thread calls it.
 */
export function inFront(name: string, type: string, threads: number): string {
  return /* wgsl */ `
var<workgroup> ${name}_sums: array<${type}, ${threads}>;
var<workgroup> ${name}_total: ${type};

fn ${name}(lane: u32, x: ${type}) -> ${type} {
  ${name}_sums[lane] = x;
  workgroupBarrier();
  if (lane == 0) {
    var sum = ${type}();
    for (var i = 0u; i < ${threads}; i++) {
      let own = ${name}_sums[i];
      ${name}_sums[i] = sum;
      sum += own;
    }
    ${name}_total = sum;
  }
  workgroupBarrier();
  return ${name}_sums[lane];
}
`;
}
