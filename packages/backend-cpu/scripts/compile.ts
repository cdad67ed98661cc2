import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import asc from 'assemblyscript/asc';

import { root } from './sources.ts';

export type Variant = 'relaxed' | 'simd128';

const FLAGS = [
  'assembly/index.ts',
  '--outFile=out.wasm',
  '-O3',
  '--noAssert',
  // nothing in assembly/ allocates: no collector, no stack of its own
  '--runtime=stub',
  '--use=abort=',
  '--importMemory',
  '--sharedMemory',
  '--initialMemory=1',
  '--maximumMemory=65536',
  '--enable=simd,threads',
];

/** Compiles `assembly/` to one WASM file. @throws {Error} with the compiler's report */
export async function compile(variant: Variant): Promise<Uint8Array> {
  let binary: Uint8Array | undefined;
  const flags = variant === 'relaxed' ? [...FLAGS, '--enable=relaxed-simd'] : FLAGS;
  const report = asc.createMemoryStream();
  const { error } = await asc.main([...flags, `--baseDir=${root}`], {
    stderr: report,
    readFile: async (name) => {
      const text = await readFile(join(root, name), 'utf8').catch(() => null);
      return text && inlineByComment(text);
    },
    writeFile: (_, contents) => void (binary = contents as Uint8Array),
    listFiles: () => [],
  });
  if (error || !binary) throw new Error(`assembly (${variant}): ${report.toString()}`);
  return binary;
}

/**
 * A doc comment with an `@inline` tag stands for AssemblyScript's decorator of that name, which TypeScript allows
 * on methods alone: so the kernels are plain TypeScript for the type checker, the linter and the formatter.
 */
export function inlineByComment(source: string): string {
  const comment =
    /(\/\*\*(?:(?!\*\/)[^])*?@inline\b(?:(?!\*\/)[^])*\*\/\s*)(?=export|function|const)/g;
  return source.replace(comment, '$1@inline ');
}
