/**
 * Node's own modules without an import, which a bundler for browsers would stumble over
 * (`process.getBuiltinModule`, from Node 20.16 on).
 */
interface Process {
  readonly version?: string;
  getBuiltinModule?(name: string): unknown;
}

const host = (globalThis as { process?: Process }).process;

/** A module of Node's; `undefined` in a browser. */
export function builtin<T>(name: `node:${string}`): T | undefined {
  return host?.getBuiltinModule?.(name) as T | undefined;
}

/** `v20.20.2`; empty in a browser. */
export const nodeVersion = (): string => (builtin('node:process') ? (host?.version ?? '') : '');
