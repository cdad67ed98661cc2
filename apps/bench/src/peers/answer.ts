import { inputsOf } from '../race/shape.js';
import type { Answer, Question } from './messages.js';
import type { Opened, Peer } from './peer.js';

/** Where peers run, in a process or a page: does what it is asked to, and times it. */
export function answerer(peers: readonly Peer[]): (question: Question) => Promise<Answer> {
  let peer: Opened | undefined;
  let output: Float32Array | undefined;

  async function answer(question: Question): Promise<Answer> {
    switch (question.ask) {
      case 'open': {
        const { implementation, shape } = question;
        const found = peers.find((one) => one.implementation === implementation);
        if (!found) throw new Error(`no peer is called ${implementation}`);
        peer = await found.open(shape, inputsOf(shape));
        return {};
      }
      case 'run': {
        const before = performance.now();
        output = await peer!.run();
        return { ms: performance.now() - before };
      }
      case 'output':
        return { output: peer!.arrange?.(output!) ?? output! };
    }
  }

  return (question) =>
    answer(question).catch((error: unknown) => ({
      error: error instanceof Error ? error.message : String(error),
    }));
}
