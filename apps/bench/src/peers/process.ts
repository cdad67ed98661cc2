/**
 * The process of one peer: it is told what to open, runs when it is asked to, and times itself. Peers get processes of
 * their own because they change what others find: ONNX Runtime's WASM leaves a global `Worker` behind, which jax-js then
 * trips over.
 */
import { PEERS } from './all.js';
import { answerer } from './answer.js';
import type { Question } from './messages.js';

const answer = answerer(PEERS);
process.on('message', (question: Question) => {
  answer(question)
    .then((said) => process.send!(said))
    .catch(() => process.exit(1));
});
