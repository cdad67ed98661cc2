import type { Contender } from '../../race/contender.js';
import type { Generators } from './generators.js';
import type { Host } from './messages.js';

/** Written before anything is timed, to be compared. */
export const CHECKED = 6;
/** Written in a lap; the times are those between them. */
const LAP = 3;

export interface Written {
  readonly tokens: number;
  /** What is written next by the uncut model in Node, where it is right. */
  readonly expected: () => Promise<readonly number[]>;
}

/**
 * A token of transformers.js with `tokens` before it: the time between two that are streamed. Dense attention of ours
 * must write what is expected; of the uncut model it is noted if it does not, because ONNX Runtime's own attention is
 * wrong on SwiftShader; top-k leaves something out.
 */
export function gpuDecode(
  generators: Generators,
  host: Host,
  { tokens, expected }: Written,
): Contender {
  return {
    facts: generators.factsOf(host, tokens),
    async start() {
      const write = await generators.open(host, tokens);
      const { ids } = await write(CHECKED);
      const differs = host === 'topk' ? undefined : difference(ids, await expected());
      if (differs !== undefined && host === 'dense') throw new Error(differs);
      return {
        note: differs,
        run: async () => ({ ms: (await write(LAP)).ms }),
        dispose: () => undefined,
      };
    },
  };
}

function difference(ids: readonly number[], expected: readonly number[]): string | undefined {
  const at = expected.findIndex((id, i) => id !== ids[i]);
  if (at < 0) return undefined;
  return `its output is wrong: of ${expected.length} tokens the first ${at} are those of onnxruntime-node`;
}
