import { fileURLToPath } from 'node:url';

import { readSafetensors } from '../generate/safetensors.js';

/** What `training/reference.py` computed from the same weights in PyTorch, f32. */
const tensors = readSafetensors(
  fileURLToPath(new URL('./fixtures/reference.safetensors', import.meta.url)),
);

export interface Fixture {
  ids: Int32Array;
  logits: Float32Array;
}

/** 128 tokens and all their logits. */
export const short: Fixture = { ids: int32('short.ids'), logits: float32('short.logits') };

/** 4,096 tokens, the longest context trained on, and the logits at four positions. */
export const long: Fixture & { positions: Int32Array } = {
  ids: int32('long.ids'),
  logits: float32('long.logits'),
  positions: int32('long.positions'),
};

/** 64 tokens given and the 64 that greedy decoding goes on with. */
export const greedy: { given: Int32Array; continued: Int32Array } = {
  given: int32('greedy.ids').subarray(0, 64),
  continued: int32('greedy.ids').subarray(64),
};

function int32(name: string): Int32Array {
  return new Int32Array(copy(name, 'I32'));
}

function float32(name: string): Float32Array {
  return new Float32Array(copy(name, 'F32'));
}

function copy(name: string, dtype: string): ArrayBuffer {
  const tensor = tensors.get(name);
  if (tensor?.dtype !== dtype) throw new Error(`fixture ${name}: no such ${dtype} tensor`);
  return Uint8Array.from(tensor.bytes).buffer;
}
