import { dense } from '@jit-attention/strategy-dense';
import { topk } from '@jit-attention/strategy-topk';

import { SHARING } from '../candidates/built-in.js';
import { FMA, fma } from '../kernels/fma.js';
import {
  type Case,
  type Figure,
  type MakeCase,
  ratio,
  type Rows,
  type Suite,
} from '../race/case.js';
import type { Contender } from '../race/contender.js';
import { prefill } from '../race/prefill.js';
import { EIGHT_HEADS } from '../race/shape.js';
import { JAVASCRIPT, NATIVE, NATIVE_WEBGPU, WEB } from './all.js';
import { contenderOf } from './contender.js';
import { IN_CHROMIUM } from './in-chromium.js';
import type { Peer } from './peer.js';

const GROUP_QUERY = NATIVE.at(-1)!;
const DENSE = { ...EIGHT_HEADS, strategy: dense() };

/** How many times as fast as each peer we are to be; absent: shown without a target. */
type Targets = Readonly<Record<string, number>>;
const NODE_TARGETS: Targets = {
  'onnxruntime-node/Attention': 1.4,
  'onnxruntime-node/MultiHeadAttention': 1.4,
};
const WEB_TARGETS: Targets = {
  'onnxruntime-web/MultiHeadAttention': 3,
  'onnxruntime-web/GroupQueryAttention': 20,
};
const JAVASCRIPT_TARGETS: Targets = { '@tensorflow/tfjs-backend-wasm': 5, '@jax-js/jax': 5 };

/** Our dense prefill against peers, one thread each. */
function against(
  name: string,
  { peers, tokens, targets }: { peers: readonly Peer[]; tokens: number; targets: Targets },
): Case {
  return {
    name,
    title: `Dense prefill of ${tokens} tokens: ours and ${titleOf(peers)}`,
    contenders: [
      prefill({ ...DENSE, tokens }),
      ...peers.map((peer) => contenderOf(peer, { ...EIGHT_HEADS, tokens })),
      fma(),
    ],
    figures: (rows) =>
      peers.flatMap(({ implementation }) => [
        speedUp(rows, { implementation, tokens, target: targets[implementation] }),
        ...(peers === NATIVE ? [mostOf(rows, implementation)] : []),
      ]),
  };
}

function titleOf(peers: readonly Pick<Peer, 'implementation'>[]): string {
  return [...new Set(peers.map(({ implementation }) => packageOf(implementation)))].join(', ');
}

const packageOf = (implementation: string): string =>
  implementation
    .split('/')
    .slice(0, implementation.startsWith('@') ? 2 : 1)
    .join('/');

function speedUp(
  rows: Rows,
  {
    implementation,
    tokens,
    target,
  }: { implementation: string; tokens: number; target?: number | undefined },
): Figure {
  const ours = rows.ms({ implementation: 'jit-attention' });
  return {
    what: `times as fast as ${implementation}, ${tokens} tokens`,
    value: ratio(rows.ms({ implementation }), ours),
    unit: 'factor',
    atLeast: target,
  };
}

/** Native code has wider vectors than WASM: what could be reached if nothing but multiply-adds cost time. */
function mostOf(rows: Rows, implementation: string): Figure {
  return {
    what: '  … if WASM ran at its multiply-add peak',
    value: ratio(rows.gflops({ strategy: FMA }), rows.gflops({ implementation })),
    unit: 'factor',
  };
}

/** Core's f64 backend is in a case of its own: a run of it takes seconds. */
function againstReference(scale: number): Case {
  const tokens = 2048 / scale;
  return {
    name: 'reference',
    title: `Dense prefill of ${tokens} tokens: the CPU backend and core's f64 reference`,
    contenders: [
      prefill({ ...DENSE, tokens }),
      prefill({ ...DENSE, tokens, backend: 'reference', same: true }),
    ],
    figures: (rows) => [
      {
        what: `times as fast as core's f64 reference, ${tokens} tokens`,
        value: ratio(rows.ms({ backend: 'reference' }), rows.ms({ backend: 'cpu' })),
        unit: 'factor',
        atLeast: 25,
      },
    ],
  };
}

/** Our dense prefill against peers on the same adapter; ours first. */
function onWebGpu(name: string, tokens: number, contenders: readonly Contender[]): Case {
  const peers = contenders.slice(1).map(({ facts }) => facts);
  return {
    name,
    title: `Dense prefill of ${tokens} tokens on WebGPU: ours and ${titleOf(peers)}`,
    contenders,
    figures: (rows) =>
      peers.map(({ implementation }) => speedUp(rows, { implementation, tokens, target: 1 })),
  };
}

function inNode(name: string, tokens: number): Case {
  const shape = { ...EIGHT_HEADS, tokens };
  const peers = NATIVE_WEBGPU.map((peer) => contenderOf(peer, shape));
  return onWebGpu(name, tokens, [prefill({ ...DENSE, tokens, backend: 'webgpu' }), ...peers]);
}

function inChromium(name: string, tokens: number): Case {
  const all = IN_CHROMIUM.map((peer) => contenderOf(peer, { ...EIGHT_HEADS, tokens }));
  return onWebGpu(name, tokens, all);
}

/** Sparse against dense: not the same output, but what one would run instead. */
function topkAgainstNode(scale: number): Case {
  const tokens = 16_384 / scale;
  const strategy = topk({ budget: Math.max(192, 1024 / scale), queryBlock: SHARING });
  return {
    name: 'topk',
    title: `Prefill of ${tokens} tokens: our top-k pages and the best operator of onnxruntime-node`,
    contenders: [
      prefill({ ...DENSE, tokens }),
      prefill({ ...EIGHT_HEADS, strategy, tokens }),
      contenderOf(GROUP_QUERY, { ...EIGHT_HEADS, tokens }),
    ],
    figures: (rows) => [
      {
        what: `top-k pages, queryBlock ${SHARING}, times as fast as ${GROUP_QUERY.implementation}, ${tokens} tokens`,
        value: ratio(
          rows.ms({ implementation: GROUP_QUERY.implementation }),
          rows.ms({ strategy: 'topk' }),
        ),
        unit: 'factor',
        atLeast: 2,
      },
    ],
  };
}

const ON_CPU: readonly MakeCase[] = [
  ...[2048, 4096, 8192].map(
    (tokens): MakeCase =>
      (scale) =>
        against(`node-${tokens}`, { peers: NATIVE, tokens: tokens / scale, targets: NODE_TARGETS }),
  ),
  (scale) => against('web-2048', { peers: WEB, tokens: 2048 / scale, targets: WEB_TARGETS }),
  // MultiHeadAttention and Attention hold all scores, which overflows there: rows with errors.
  (scale) => against('web-4096', { peers: WEB, tokens: 4096 / scale, targets: {} }),
  (scale) =>
    against('javascript', {
      ...{ peers: JAVASCRIPT, tokens: 2048 / scale, targets: JAVASCRIPT_TARGETS },
    }),
  againstReference,
  topkAgainstNode,
];
const ON_WEBGPU: readonly MakeCase[] = [4096, 8192].flatMap((tokens): MakeCase[] => [
  (scale) => inNode(`node-${tokens}`, tokens / scale),
  (scale) => inChromium(`chromium-${tokens}`, tokens / scale),
]);

/** Others' attention on the same numbers, one thread each. */
export const PEERS: Suite = {
  name: 'peers',
  description: 'a backend and other implementations of attention on the same numbers',
  backends: ['cpu', 'webgpu'],
  cases: (scale, backend) => (backend === 'cpu' ? ON_CPU : ON_WEBGPU).map((make) => make(scale)),
};
