import { spawn } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** Runs a module of its own in a process of its own; resolves when it has ended by itself. */
export function runModule(source: string): Promise<{ code: number | null; output: string }> {
  const flags = ['--conditions=@jit-attention/source', '--import=tsx', '--input-type=module'];
  const child = spawn(process.execPath, [...flags, '--eval', source], { cwd: root });
  let output = '';
  child.stdout.on('data', (chunk) => (output += String(chunk)));
  child.stderr.on('data', (chunk) => (output += String(chunk)));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, output }));
  });
}
