import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach } from 'vitest';

/** A folder of the test's own, gone after it. */
export function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'jit-attention-gguf-'));
  made.push(path);
  return path;
}

const made: string[] = [];
afterEach(() => {
  for (const path of made.splice(0)) rmSync(path, { recursive: true });
});
