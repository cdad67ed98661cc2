import { readFileSync } from 'node:fs';
import type * as Ort from 'onnxruntime-node';

/** A package of ONNX Runtime that runs a model, uncut or in pieces. */
export type RuntimeName = 'onnxruntime-node' | 'onnxruntime-web';

export interface RuntimeOf {
  readonly name: RuntimeName;
  readonly ort: typeof Ort;
  /** A session of a whole model, on so many threads. */
  open(onnxFile: string, threads: number): Promise<Ort.InferenceSession>;
}

const QUIET = { executionProviders: ['cpu'], interOpNumThreads: 1, logSeverityLevel: 3 } as const;

export async function openRuntime(name: RuntimeName, threads: number): Promise<RuntimeOf> {
  if (name === 'onnxruntime-node') {
    const ort = await import('onnxruntime-node');
    const open: RuntimeOf['open'] = (file, intraOpNumThreads) =>
      ort.InferenceSession.create(file, { ...QUIET, intraOpNumThreads });
    return { name, ort, open };
  }
  const web = await import('onnxruntime-web');
  web.env.wasm.numThreads = threads;
  // The same interface, of onnxruntime-common; only the types of what each adds differ.
  const ort = web as unknown as typeof Ort;
  return {
    ...{ name, ort },
    // A path would be fetched.
    open: (file) => ort.InferenceSession.create(readFileSync(file), { logSeverityLevel: 3 }),
  };
}
