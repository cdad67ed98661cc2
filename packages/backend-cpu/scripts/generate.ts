/** Writes src/generated/: the compiled kernels as base64, and the worker's program as text. */
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

import ts from 'typescript';

import { compile } from './compile.ts';
import { fingerprint, root } from './sources.ts';

const target = join(root, 'src/generated');
const made = fingerprint();

/** A module whose named exports are strings. */
async function write(name: string, strings: Readonly<Record<string, string>>): Promise<void> {
  const lines = Object.entries({ ...strings, fingerprint: made }).map(
    ([key, text]) => `export const ${key} = ${JSON.stringify(text)};\n`,
  );
  await writeFile(join(target, name), `// made by \`pnpm generate\`\n${lines.join('')}`);
}

async function wasm(): Promise<Record<string, string>> {
  const relaxed = await compile('relaxed');
  const simd128 = await compile('simd128');
  const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
  return { relaxed: base64(relaxed), simd128: base64(simd128) };
}

/** As a classic script: what is left of its imports would make a module of it. */
async function worker(): Promise<string> {
  const source = await readFile(join(root, 'worker/worker.ts'), 'utf8');
  const script = ts.transpile(source, { target: ts.ScriptTarget.ES2022, removeComments: true });
  return script.replace('export {};\n', '');
}

await mkdir(target, { recursive: true });
await write('wasm.js', await wasm());
await write('worker.js', { source: await worker() });
