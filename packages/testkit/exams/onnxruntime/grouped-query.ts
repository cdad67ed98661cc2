import {
  all,
  type AttentionStrategy,
  type Backend,
  createAttention,
  fromQuery,
  ranges,
} from '@jit-attention/core';
import fc from 'fast-check';
import { Tensor } from 'onnxruntime-node';

import { cut, type HostArray } from '../../src/array.js';
import { type BackendSuite, property } from '../../src/backend/suite.js';
import {
  assertClose,
  callOf,
  headsOf,
  type Inputs,
  inputsOf,
  optionsOf,
  type Problem,
  problems,
  type Runner,
  tokensOf,
} from '../../src/index.js';
import { cutRows, starts } from '../../src/inputs.js';
import { AGREEMENT, joinHeads, MICROSOFT, runOperator, splitHeads, tensorOf } from './operator.js';

/** ONNX Runtime's decoder operator: causal, grouped heads, a past, a local window, a softcap. */
export function testGroupedQuery(runner: Runner, suite: BackendSuite): void {
  const widths = [16, 32, 64, 128].map((width) => [width, width] as const);
  const prompts = problems({ widths, values: ['own'] });
  const windows = fc.option(fc.integer({ min: 1, max: 12 }), { nil: undefined });

  runner.describe(`ONNX Runtime agrees, GroupQueryAttention, ${suite.name}`, () => {
    const unequal = 'on prompts of unequal length';
    property(runner, suite, unequal, [prompts, windows], (backend, problem, window) =>
      agrees(backend, problem, { window, past: 0 }),
    );

    const behind = 'on tokens behind a past';
    const cases = [prompts, windows, fc.nat(1000)] as const;
    property(runner, suite, behind, [...cases], (backend, problem, window, draw) => {
      const tokens = tokensOf(problem);
      const past = draw % tokens;
      return agrees(backend, { ...problem, lengths: [tokens] }, { window, past });
    });
  });
}

interface Decoding {
  /** Newest entries that a query reads; undefined: all. */
  readonly window: number | undefined;
  /** Tokens that stand before the queries. */
  readonly past: number;
}

async function agrees(backend: Backend, problem: Problem, decoding: Decoding): Promise<void> {
  const plain = { ...problem, sinkLogits: false };
  const inputs = inputsOf(plain);
  const query = cut(inputs.query, 2, decoding.past, tokensOf(plain));
  const strategy = newest(decoding.window);
  const attention = createAttention({ ...optionsOf(plain), strategy, backend });
  const batch = plain.lengths.length;
  const result = await attention.run({ ...callOf({ ...inputs, query }), batch });
  const theirs = await groupQueryAttention(plain, { ...inputs, query }, decoding);
  const asked = plain.lengths.map((length) => length - decoding.past);
  const [a, b] = [await result.output.data(), theirs.data].map(
    (data) => cutRows({ ...theirs, data }, starts(asked), asked).data,
  );
  assertClose('output', a, b, { tolerance: AGREEMENT });
  result.dispose();
}

function newest(window: number | undefined): AttentionStrategy {
  const selection = window === undefined ? all : ranges([fromQuery(1 - window), fromQuery(1)]);
  return {
    name: 'newest',
    apiVersion: 1,
    supports: { exact: true, sync: true, bidirectional: false },
    plan: () => ({ branches: [{ keys: 'cache', selection }] }),
  };
}

/** `[batch, heads, tokens, headDim]` */
async function groupQueryAttention(
  problem: Problem,
  { query, key, value, lengths }: Inputs,
  { window = -1, past }: Decoding,
): Promise<HostArray> {
  const tokens = tokensOf(problem);
  const heads = headsOf(problem);
  const [pastKey, pastValue] = [key, value!].map((rows) => tensorOf(cut(rows, 2, 0, past)));
  const [newKey, newValue] = [key, value!].map((rows) =>
    tensorOf(joinHeads(cut(rows, 2, past, tokens))),
  );
  const output = await runOperator(
    {
      ...{ opType: 'GroupQueryAttention', domain: MICROSOFT },
      attributes: {
        ...{ num_heads: heads, kv_num_heads: problem.kvHeads },
        local_window_size: window,
        softcap: { float: problem.softcap ?? 0 },
      },
      inputs: ['query', 'key', 'value', 'pastKey', 'pastValue', 'lengths', 'total'],
      outputs: ['output', 'presentKey', 'presentValue'],
    },
    {
      ...{ query: tensorOf(joinHeads(query)), key: newKey, value: newValue, pastKey, pastValue },
      lengths: new Tensor(
        'int32',
        Int32Array.from(lengths, (length) => length - 1),
        [lengths.length],
      ),
      total: new Tensor('int32', Int32Array.of(tokens), [1]),
    },
  );
  const shape = [lengths.length, tokens - past, heads * problem.headDim];
  return splitHeads({ shape, data: output }, heads);
}
