import { toBinary } from '@bufbuild/protobuf';
import { ModelProtoSchema } from 'onnx-buf';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { dirname } from 'node:path';

import { JitAttentionError } from '@jit-attention/core';
import type { AttentionNode } from './attention-nodes.js';
import type { OnnxFile } from './file.js';
import { emptyPast, fillers, type Step } from './inputs.js';

/** A decoder that reads a sequence step by step and keeps its past keys and values. */
export class DecoderSession {
  readonly #session: InferenceSession;
  readonly #file: OnnxFile;
  readonly #nodes: AttentionNode[];
  readonly #fillers: ReturnType<typeof fillers>;
  #past: Record<string, Tensor>;

  private constructor(
    session: InferenceSession,
    file: OnnxFile,
    nodes: AttentionNode[],
    fill: ReturnType<typeof fillers>,
    past: Record<string, Tensor>,
  ) {
    this.#session = session;
    this.#file = file;
    this.#nodes = nodes;
    this.#fillers = fill;
    this.#past = past;
  }

  /** `nodes`: every attention node of the graph, each with its present keys and values as outputs. */
  static async open(file: OnnxFile, nodes: AttentionNode[]): Promise<DecoderSession> {
    const fill = fillers(file, nodes);
    const past = emptyPast(file, nodes);
    const bytes = toBinary(ModelProtoSchema, file.model);
    const folder = dirname(file.path);
    const session = await guarded(file, 'load', () =>
      InferenceSession.create(bytes, {
        executionProviders: ['cpu'],
        logSeverityLevel: 3,
        extra: { session: { model_external_initializers_file_folder_path: folder } },
      }),
    );
    return new DecoderSession(session, file, nodes, fill, past);
  }

  /**
   * Runs the tokens that follow those already run and returns `outputs`. Present keys and values among
   * them stay valid until the next step, which takes them as its past.
   */
  async step(step: Step, outputs: Iterable<string>): Promise<Record<string, Tensor>> {
    const feeds: Record<string, Tensor> = { ...this.#past };
    for (const [name, fill] of this.#fillers) feeds[name] = fill(step);
    const fetches = new Set([...outputs, ...this.#nodes.flatMap(presentOf)]);
    const results = await guarded(this.#file, 'run', () => this.#session.run(feeds, [...fetches]));
    for (const tensor of Object.values(feeds)) tensor.dispose();
    for (const node of this.#nodes) {
      if (node.pastKey) this.#past[node.pastKey] = results[node.presentKey]!;
      if (node.pastValue) this.#past[node.pastValue] = results[node.presentValue]!;
    }
    return results;
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

function presentOf({ presentKey, presentValue }: AttentionNode): string[] {
  return [presentKey, presentValue];
}

async function guarded<T>(file: OnnxFile, verb: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new JitAttentionError(`onnxruntime could not ${verb} ${file.path}: ${reason}`, {
      code: 'BACKEND_FAILED',
      hint: `open the file in onnxruntime-node alone to see whether it ${verb}s there`,
      cause,
    });
  }
}
