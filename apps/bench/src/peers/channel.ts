import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

import type { Answer, Question } from './messages.js';

/** The way to where a peer runs. */
export interface Channel {
  /** @throws {Error} with the peer's own message, or when its process ends */
  ask(question: Question): Promise<Answer>;
  close(): void | Promise<void>;
}

/** Beside the built command, or its source when that is what runs. */
export function openProcess(): Channel {
  const isSource = import.meta.url.endsWith('.ts');
  const entry = new URL(isSource ? './process.ts' : './peer-process.js', import.meta.url);
  const child = fork(fileURLToPath(entry), {
    serialization: 'advanced', // arrays as they are
    execArgv: isSource ? ['--import', 'tsx'] : [],
    cwd: fileURLToPath(new URL('.', entry)),
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'], // what peers print is not ours to show
  });
  return {
    async ask(question) {
      const ended = new AbortController();
      const answered = once(child, 'message', ended) as Promise<[Answer]>;
      const died = once(child, 'exit', ended).then(([code, signal]) => {
        throw new Error(`its process ended with ${signal ?? code}`);
      });
      died.catch(() => undefined);
      child.send(question);
      try {
        return answerOf((await Promise.race([answered, died]))[0]);
      } finally {
        ended.abort();
      }
    },
    close: () => void child.kill(),
  };
}

/** @throws {Error} what the peer has thrown */
export function answerOf(answer: Answer): Answer {
  if (answer.error !== undefined) throw new Error(answer.error);
  return answer;
}
