/** How a kernel uses a buffer, and the type of its elements. */
export interface BufferUse {
  readonly access: 'read' | 'read_write';
  readonly type: string;
}

export const read = (type: string): BufferUse => ({ access: 'read', type });
export const write = (type: string): BufferUse => ({ access: 'read_write', type });

/** A compute kernel as text. */
export interface Kernel {
  /** Shown in errors and by profilers; with {@link source} it identifies the kernel. */
  readonly name: string;
  readonly source: string;
  /** Of binding 1 and so on. */
  readonly accesses: readonly BufferUse['access'][];
}

export interface KernelParts {
  readonly name: string;
  /**
   * The buffers, in the order of {@link Gpu.run}, as `var<storage> name: array<type>`. Before them comes `words:
   * array<i32>`, what the call is about.
   */
  readonly buffers: Readonly<Record<string, BufferUse>>;
  /** Threads of a workgroup. Default 64. */
  readonly threads?: number | undefined;
  /** Functions, constants, workgroup variables. */
  readonly declarations?: string | undefined;
  /**
   * The body of the kernel. It knows `group` (which workgroup), `lane` (which thread of it) and `item` (`group *
   * threads + lane`), all u32. Words 0 is the number of workgroups; the caller's words follow.
   */
  readonly body: string;
  /** WGSL extensions: `f16`, `subgroups`. */
  readonly enable?: readonly string[] | undefined;
  /** More parameters of the entry point, builtins of subgroups for one. */
  readonly parameters?: string | undefined;
}

export const DEFAULT_THREADS = 64;

/** Writes what all kernels have in common around the parts that make one. */
export function kernel(parts: KernelParts): Kernel {
  const { name, buffers, threads = DEFAULT_THREADS, declarations = '', body } = parts;
  const { enable = [], parameters = '' } = parts;
  const bound = Object.entries(buffers).map(
    ([variable, { access, type }], i) =>
      `@group(0) @binding(${i + 1}) var<storage, ${access}> ${variable}: array<${type}>;`,
  );
  const source = `${enable.map((extension) => `enable ${extension};\n`).join('')}
@group(0) @binding(0) var<storage, read> words: array<i32>;
${bound.join('\n')}
${declarations}

// Workgroups beyond 65,535 are folded into a second axis.
@compute @workgroup_size(${threads})
fn main(
  @builtin(workgroup_id) workgroup: vec3u,
  @builtin(num_workgroups) workgroups: vec3u,
  @builtin(local_invocation_index) lane: u32,${parameters}
) {
  let group = workgroup.x + workgroup.y * workgroups.x;
  if (group >= u32(words[0])) { return; }
  let item = group * ${threads}u + lane;
${body}
}
`;
  return { name, source, accesses: Object.values(buffers).map(({ access }) => access) };
}

/** A family of kernels, each of which is made once: the text of 3 kB is not written anew at every call. */
export function kernels<P extends readonly (string | number | boolean | undefined)[]>(
  make: (...parameters: P) => Kernel,
): (...parameters: P) => Kernel {
  const made = new Map<string, Kernel>();
  return (...parameters) => {
    const key = parameters.join();
    const known = made.get(key) ?? make(...parameters);
    made.set(key, known);
    return known;
  };
}
