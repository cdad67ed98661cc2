import { stripVTControlCharacters } from 'node:util';

import { main } from '../src/program.js';

export interface Outcome {
  readonly status: number;
  readonly out: string;
  readonly err: string;
}

/** Runs the command line in this process, as if the user stood in `directory`. */
export async function runMain(args: readonly string[], directory: string): Promise<Outcome> {
  const before = process.env.INIT_CWD;
  process.env.INIT_CWD = directory;
  const lines: Record<'out' | 'err', string[]> = { out: [], err: [] };
  try {
    const status = await main(args, {
      print: (text) => lines.out.push(text),
      printError: (text) => lines.err.push(text),
      show: 'silent',
    });
    const plain = (name: 'out' | 'err'): string => stripVTControlCharacters(lines[name].join('\n'));
    return { status, out: plain('out'), err: plain('err') };
  } finally {
    if (before === undefined) delete process.env.INIT_CWD;
    else process.env.INIT_CWD = before;
  }
}
