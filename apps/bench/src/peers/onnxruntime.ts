import type * as ort from 'onnxruntime-node';

import { modelOf, type OnnxInput } from './onnx-model.js';
import type { OnnxAttention } from './onnx-operators.js';
import type { Peer } from './peer.js';

type Ort = typeof ort;
type Build = 'onnxruntime-node' | 'onnxruntime-node webgpu' | 'onnxruntime-web';

/** Native code: AVX-512 where the machine has it. */
const native = async (): Promise<Ort> => import('onnxruntime-node');

/** WASM. The two packages have the same interface, and each its own name for the processor. */
async function wasm(): Promise<Ort> {
  const web = await import('onnxruntime-web');
  web.env.wasm.numThreads = 1;
  return web as unknown as Ort;
}

interface Runtime {
  readonly load: () => Promise<Ort>;
  readonly provider: string;
  readonly backend: Peer['backend'];
}

const BUILDS: Readonly<Record<Build, Runtime>> = {
  'onnxruntime-node': { load: native, provider: 'cpu', backend: 'cpu' },
  'onnxruntime-node webgpu': { load: native, provider: 'webgpu', backend: 'webgpu' },
  'onnxruntime-web': { load: wasm, provider: 'wasm', backend: 'cpu' },
};
/** What a provider has no kernel for would be run on the CPU, and be timed as if it had. */
const NO_FALLBACK = { session: { disable_cpu_ep_fallback: '1' } };

/** One operator of ONNX Runtime, in a model of its own. */
export function onnxruntime(build: Build, attention: OnnxAttention): Peer {
  const { load, provider, backend } = BUILDS[build];
  return {
    implementation: `${build}/${attention.opType}`,
    backend,
    async open(shape, inputs) {
      const { InferenceSession, Tensor } = await load();
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
