import type * as ort from 'onnxruntime-node';

import { modelOf, type OnnxInput } from './onnx-model.js';
import type { OnnxAttention } from './onnx-operators.js';
import type { Peer } from './peer.js';

type Ort = typeof ort;
type Package = 'onnxruntime-node' | 'onnxruntime-web';

/** Native code: AVX-512 where the machine has it. */
const native = async (): Promise<Ort> => import('onnxruntime-node');

/** WASM. The two packages have the same interface, and each its own name for the processor. */
async function wasm(): Promise<Ort> {
  const web = await import('onnxruntime-web');
  web.env.wasm.numThreads = 1;
  return web as unknown as Ort;
}

const LOAD: Readonly<Record<Package, () => Promise<Ort>>> = {
  'onnxruntime-node': native,
  'onnxruntime-web': wasm,
};
const PROVIDER: Readonly<Record<Package, string>> = {
  'onnxruntime-node': 'cpu',
  'onnxruntime-web': 'wasm',
};

/** One operator of ONNX Runtime, in a model of its own. */
export function onnxruntime(from: Package, attention: OnnxAttention): Peer {
  return {
    implementation: `${from}/${attention.opType}`,
    async open(shape, inputs) {
      const { InferenceSession, Tensor } = await LOAD[from]();
      const node = attention.operator(shape, inputs);
      const session = await InferenceSession.create(modelOf(node), {
        executionProviders: [PROVIDER[from]],
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
