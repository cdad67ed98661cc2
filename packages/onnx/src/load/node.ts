/** What of Node's modules is used; the package has no types of Node, as it is for browsers too. */
export interface NodeModules {
  readonly fs: {
    existsSync(path: string): boolean;
    readdirSync(path: string): string[];
    readFileSync(path: string): Uint8Array;
    statSync(
      path: string,
      options: { throwIfNoEntry: false },
    ): { readonly size: number; isDirectory(): boolean } | undefined;
  };
  readonly path: {
    join(...parts: string[]): string;
    dirname(path: string): string;
    basename(path: string): string;
  };
  readonly url: { fileURLToPath(url: URL): string };
}

interface Process {
  getBuiltinModule?(name: string): unknown;
}

/** Node's own modules without an import, which a bundler for browsers would stumble over; undefined in a browser. */
export function nodeModules(): NodeModules | undefined {
  const host = (globalThis as { process?: Process }).process;
  const load = <T>(name: string): T => host?.getBuiltinModule?.(`node:${name}`) as T;
  if (!load('fs')) return undefined;
  return { fs: load('fs'), path: load('path'), url: load('url') };
}
