/**
 * The process of one peer: it is told what to open, runs when it is asked to, and times itself. Peers get processes of
 * their own because they change what others find: ONNX Runtime's WASM leaves a global `Worker` behind, which jax-js then
 * trips over.
 */
import { inputsOf } from '../race/shape.js';
import { PEERS } from './all.js';
import type { Answer, Question } from './messages.js';
import type { Opened } from './peer.js';

let peer: Opened | undefined;
let output: Float32Array | undefined;

async function answer(question: Question): Promise<Answer> {
  switch (question.ask) {
    case 'open': {
      const { implementation, shape } = question;
      const found = PEERS.find((one) => one.implementation === implementation);
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

process.on('message', (question: Question) => {
  answer(question)
    .catch((error: unknown) => ({ error: error instanceof Error ? error.message : String(error) }))
    .then((reply) => process.send!(reply))
    .catch(() => process.exit(1));
});
