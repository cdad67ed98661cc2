import type * as ort from 'onnxruntime-node';

import { modelOf, type OnnxInput } from './onnx-model.js';
import type { OnnxAttention } from './onnx-operators.js';
import type { Peer } from './peer.js';

/** What its packages have in common. */
export type Ort = Pick<typeof ort, 'InferenceSession' | 'Tensor'>;

/** A build of ONNX Runtime, and what it is to compute on. */
export interface Runtime extends Pick<Peer, 'backend' | 'host'> {
  /** `onnxruntime-node` */
  readonly name: string;
  readonly provider: 'cpu' | 'wasm' | 'webgpu';
  /** The packages have the same interface. */
  load(): Promise<Ort>;
}

/** What a provider has no kernel for would be run on the CPU, and be timed as if it had. */
const NO_FALLBACK = { session: { disable_cpu_ep_fallback: '1' } };

/** One operator of ONNX Runtime, in a model of its own. */
export function onnxruntime(runtime: Runtime, attention: OnnxAttention): Peer {
  const { name, provider, backend, host } = runtime;
  return {
    implementation: `${name}/${attention.opType}`,
    ...{ backend, host },
    // Its flash attention is wrong where subgroups have 4 threads, as on SwiftShader.
    mayDiffer: backend === 'webgpu',
    async open(shape, inputs) {
      const { InferenceSession, Tensor } = await runtime.load();
      const node = attention.operator(shape, inputs);
      const session = await InferenceSession.create(modelOf(node), {
        executionProviders: [provider],
        ...(backend === 'webgpu' && { extra: NO_FALLBACK }),
        ...{ intraOpNumThreads: 1, interOpNumThreads: 1, logSeverityLevel: 4 },
      });
      const tensorOf = ({ type, data, dims }: OnnxInput): InstanceType<Ort['Tensor']> =>
        type === 'int32'
          ? new Tensor('int32', data as Int32Array, dims)
          : new Tensor('float32', data as Float32Array, dims);
      const feeds = Object.fromEntries(
        Object.entries(node.inputs).map(([name, input]) => [name, tensorOf(input)]),
      );
      const [wanted] = node.outputs;
      return {
        run: async () => (await session.run(feeds, [wanted]))[wanted].data as Float32Array,
        arrange: (output) => attention.arrange(output, shape),
      };
    },
  };
}
