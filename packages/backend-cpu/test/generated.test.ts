import { gzipSync } from 'node:zlib';

import { describe, expect, it } from 'vitest';

import { fingerprint } from '../scripts/sources.ts';
import { inlineByComment } from '../scripts/compile.ts';
import * as wasm from '../src/generated/wasm.js';
import * as worker from '../src/generated/worker.js';

describe('generated files', () => {
  it('are made from the sources as they are: run `pnpm generate`', () => {
    expect([wasm.fingerprint, worker.fingerprint]).toEqual([fingerprint(), fingerprint()]);
  });

  it('stay under 60 kB gzip, all WASM files together', () => {
    const bytes = [wasm.relaxed, wasm.simd128].map(
      (base64) => gzipSync(Buffer.from(base64, 'base64'), { level: 9 }).length,
    );
    expect(bytes[0] + bytes[1]).toBeLessThan(60_000);
  });

  it('import nothing but the memory', () => {
    const imports = WebAssembly.Module.imports(
      new WebAssembly.Module(Buffer.from(wasm.simd128, 'base64')),
    );
    expect(imports).toEqual([{ module: 'env', name: 'memory', kind: 'memory' }]);
  });
});

describe('inlineByComment', () => {
  it('turns the tag of a doc comment into the decorator of the next function', () => {
    const source =
      '/** One. */\nfunction a() {}\n/** Two.\n * @inline */\nexport function b() {}\n';
    expect(inlineByComment(source)).toBe(
      '/** One. */\nfunction a() {}\n/** Two.\n * @inline */\n@inline export function b() {}\n',
    );
  });

  it('leaves a tag alone that does not stand before a function', () => {
    expect(inlineByComment('/** @inline */\nlet a = 1;')).toBe('/** @inline */\nlet a = 1;');
  });
});
