import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Contender, Runner } from '../race/contender.js';
import { denseFlops, type Shape } from '../race/shape.js';
import type { Answer, Question } from './messages.js';
import type { Peer } from './peer.js';

/** A peer, in a process of its own, in a case whose first contender is ours: it must compute the same. */
export function contenderOf({ implementation, backend }: Peer, shape: Shape): Contender {
  const { tokens, heads, kvHeads, headDim } = shape;
  return {
    facts: {
      ...{ implementation, strategy: 'dense', backend, threads: 1, budget: null },
      ...{ tokens, queries: tokens, heads, kvHeads, headDim },
    },
    flops: denseFlops(shape),
    same: true,
    // ONNX Runtime's flash attention is wrong where subgroups have 4 threads, as on SwiftShader.
    mayDiffer: backend === 'webgpu',
    start: () => start(implementation, shape),
  };
}

async function start(implementation: string, shape: Shape): Promise<Runner> {
  const child = spawn();
  const dispose = (): void => void child.kill();
  try {
    await ask(child, { ask: 'open', implementation, shape });
  } catch (error) {
    dispose();
    throw error;
  }
  return {
    async run() {
      const { ms } = await ask(child, { ask: 'run' });
      return { ms, output: async () => (await ask(child, { ask: 'output' })).output! };
    },
    dispose,
  };
}

/** Beside the built command, or its source when that is what runs. */
function spawn(): ChildProcess {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(isSource ? './process.ts' : './peer-process.js', import.meta.url);
  return fork(fileURLToPath(entry), {
    serialization: 'advanced', // arrays as they are
    execArgv: isSource ? ['--import', 'tsx'] : [],
    cwd: fileURLToPath(new URL('.', entry)),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'], // what peers print is not ours to show
  });
}

/** @throws {Error} with the peer's own message, or when its process ends */
async function ask(child: ChildProcess, question: Question): Promise<Answer> {
  const ended = new AbortController();
  const answered = once(child, 'message', ended) as Promise<[Answer]>;
  const died = once(child, 'exit', ended).then(([code, signal]) => {
    throw new Error(`its process ended with ${signal ?? code}`);
  });
  died.catch(() => undefined);
  child.send(question);
  try {
    const [answer] = await Promise.race([answered, died]);
    if (answer.error !== undefined) throw new Error(answer.error);
    return answer;
  } finally {
    ended.abort();
  }
}
