import type { Backend } from '../backend.js';
import { assertKnown } from '../check.js';
import { AbortError, type ErrorCode, inputError, LifetimeError } from '../errors.js';
import { KeptPlan } from '../plan.js';
import { type AuxSpec, auxSizes } from '../strategy.js';
import { sizeOf, Tensor } from '../tensor.js';
import { isList } from './expect.js';
import type { Site } from './options.js';

/** Numbers, or a tensor of the attention object's backend; see the layout. Never taken over or changed. */
export type Input = Float32Array | Tensor;

export interface CallInputs {
  /** `[batch, heads, tokens, headDim]`, rotated already. The last tokens of the call: may be fewer than the keys. */
  query: Input;
  /** `[batch, kvHeads, tokens, headDim]`, rotated already. */
  key: Input;
  /** `[batch, kvHeads, tokens, valueDim]`; left out with `values: 'key'`. */
  value?: Input | undefined;
  /** What the strategy `requires`, by name, in the same layout. */
  aux?: Readonly<Record<string, Input>> | undefined;
  /** Valid tokens of each batch row; the rest of a row is padding and gives zeros. Default: all. */
  lengths?: readonly number[] | undefined;
  /** An earlier plan to repeat as it is, at the same positions. */
  plan?: KeptPlan | undefined;
  /** An earlier plan for the strategy to reuse or refine (`step.from`). */
  from?: KeptPlan | undefined;
  /** Keep the plan in the result. Default false. */
  keepPlan?: boolean | undefined;
  /** Aborts between chunks of queries; nothing is changed then. */
  signal?: AbortSignal | undefined;
}

/** The names of {@link CallInputs}. */
export const CALL_INPUTS: readonly (keyof CallInputs)[] = [
  'query',
  'key',
  'value',
  'aux',
  'lengths',
  'plan',
  'from',
  'keepPlan',
  'signal',
];

/** The inputs with copies of their arrays, for a call that has to wait; not checked yet. */
export function copyInputs(inputs: CallInputs): CallInputs {
  return copyArrays(inputs) as CallInputs;
}

function copyArrays(value: unknown): unknown {
  if (value instanceof Float32Array || Array.isArray(value)) return value.slice();
  if (!isPlain(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, copyArrays(one)]));
}

/** An object of options, not an instance such as a tensor, a plan or a signal. */
function isPlain(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || prototype === Object.prototype;
}

/** Inputs as tensors `[batch, heads, tokens, width]`. */
export interface ReadInputs {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor | undefined;
  readonly queryAux: Readonly<Record<string, Tensor>>;
  /** By name: `keys`, `values` (the keys where values are keys), and the auxiliary tensors per key. */
  readonly rows: Readonly<Record<string, Tensor>>;
  /** Tensors made here, not the caller's. */
  readonly owned: readonly Tensor[];
}

/** What a call brings, checked, before anything is allocated. */
export interface CheckedInputs {
  readonly tokens: number;
  readonly keyTokens: number;
  /** Valid tokens of the keys of each batch row. */
  readonly lengths: readonly number[];
  read(): ReadInputs;
}

interface Expected {
  readonly name: string;
  readonly input: Input;
  readonly heads: number;
  readonly width: number;
  readonly tokens: number;
}

/**
 * @throws {InputError} `INVALID_SHAPE`, `INVALID_DTYPE`, `MISSING_INPUT`, `INVALID_OPTION`
 * @throws {LifetimeError} `TENSOR_DISPOSED`, `BACKEND_MISMATCH`
 */
export function checkInputs(
  site: Site,
  where: string,
  inputs: CallInputs,
  batch: number,
): CheckedInputs {
  const { heads, kvHeads, headDim, valueDim } = site.layer;
  if (inputs.plan && inputs.from) throw inputError(where, 'plan or from', 'both');
  for (const name of ['plan', 'from'] as const) assertKept(where, name, inputs[name]);
  assertNotAborted(where, inputs.signal);
  const tokensOf = (name: string, input: Input | undefined, count: number, width: number): number =>
    inferTokens(site, `${where}: ${name}`, required(where, name, input), batch, count, width);
  const tokens = tokensOf('query', inputs.query, heads, headDim);
  const keyTokens = tokensOf('key', inputs.key, kvHeads, headDim);
  const own = site.values === 'own';
  if (!own && inputs.value !== undefined)
    throw inputError(where, "no value (values: 'key')", 'one');

  const expected: Expected[] = [
    { name: 'query', input: inputs.query, heads, width: headDim, tokens },
    { name: 'key', input: inputs.key, heads: kvHeads, width: headDim, tokens: keyTokens },
  ];
  if (own) {
    const value = required(where, 'value', inputs.value);
    expected.push({
      name: 'value',
      input: value,
      heads: kvHeads,
      width: valueDim,
      tokens: keyTokens,
    });
  }
  const requires = Object.entries(site.strategy.requires ?? {});
  if (inputs.aux !== undefined) {
    const names = requires.map(([name]) => name);
    assertKnown(`${where}: aux, for ${site.strategy.name}`, inputs.aux, names);
  }
  for (const [name, spec] of requires) {
    expected.push({
      name: `aux.${name}`,
      input: required(
        where,
        `aux.${name}`,
        inputs.aux?.[name],
        `${site.strategy.name} requires it`,
      ),
      ...auxSizes(spec, site.layer),
      tokens: spec.per === 'query' ? tokens : keyTokens,
    });
  }
  for (const one of expected) assertInput(site, where, one, batch);
  const lengths = checkLengths(where, inputs.lengths, batch, keyTokens);

  return {
    tokens,
    keyTokens,
    lengths,
    read: () => {
      const owned: Tensor[] = [];
      const [query, key, ...rest] = toTensors(site, expected, batch, owned) as [
        Tensor,
        Tensor,
        ...Tensor[],
      ];
      const aux = rest.slice(own ? 1 : 0);
      const named = requires.map(([name, spec], i) => ({ name, spec, tensor: aux[i] }));
      const pick = (per: AuxSpec['per']): Record<string, Tensor> =>
        Object.fromEntries(
          named.filter(({ spec }) => spec.per === per).map(({ name, tensor }) => [name, tensor]),
        );
      const value = own ? rest[0] : undefined;
      const rows = { ...pick('key'), keys: key, values: value ?? key };
      return { query, key, value, queryAux: pick('query'), rows, owned };
    },
  };
}

function required(
  where: string,
  name: string,
  input: Input | null | undefined,
  hint?: string,
): Input {
  if (input === undefined || input === null) {
    throw inputError(where, name, input, { code: 'MISSING_INPUT', hint });
  }
  if (Tensor.is(input) || input instanceof Float32Array) return input;
  throw inputError(`${where}: ${name}`, 'a Float32Array or a Tensor', input, {
    code: 'INVALID_DTYPE',
  });
}

/** A live plan of an earlier call, or none. */
function assertKept(where: string, name: string, plan: unknown): void {
  if (plan === undefined) return;
  if (plan instanceof KeptPlan) plan.assertLive();
  else
    throw inputError(where, `${name} to be the plan of an earlier result`, plan, {
      hint: 'with keepPlan: true a result has a plan',
    });
}

/** @throws {AbortError} `ABORTED` */
export function assertNotAborted(where: string, signal: AbortSignal | undefined, chunk = 0): void {
  if (!signal?.aborted) return;
  throw new AbortError(`${where}: aborted before chunk ${chunk}; nothing was changed`, {
    code: 'ABORTED',
    expected: 'a signal that is not aborted',
    actual: signal.reason,
    cause: signal.reason,
  });
}

function shapeIn(
  layout: Site['layout'],
  batch: number,
  heads: number,
  tokens: number,
  width: number,
): number[] {
  return layout === 'bhtd' ? [batch, heads, tokens, width] : [batch, tokens, heads, width];
}

function inferTokens(
  site: Site,
  where: string,
  input: Input,
  batch: number,
  heads: number,
  width: number,
): number {
  const axis = site.layout === 'bhtd' ? 2 : 1;
  if (Tensor.is(input) && input.shape.length === 4) return input.shape[axis];
  const size = Tensor.is(input) ? input.size : input.length;
  const tokens = size / (batch * heads * width);
  if (Number.isInteger(tokens) && tokens >= 1) return tokens;
  const shape =
    site.layout === 'bhtd'
      ? `[${batch}, ${heads}, tokens, ${width}]`
      : `[${batch}, tokens, ${heads}, ${width}]`;
  throw inputError(where, `${shape}, a multiple of ${batch * heads * width} numbers`, size, {
    code: 'INVALID_SHAPE',
  });
}

function assertInput(site: Site, where: string, expected: Expected, batch: number): void {
  const { name, input, heads, tokens, width } = expected;
  const shape = shapeIn(site.layout, batch, heads, tokens, width);
  const fail = (what: string, actual: unknown, code: ErrorCode): never => {
    throw inputError(`${where}: ${name}`, what, actual, { code });
  };
  if (tokens < 1) fail('at least one token', tokens, 'INVALID_SHAPE');
  if (!Tensor.is(input)) {
    if (input.length !== sizeOf(shape)) {
      fail(`[${shape.join(', ')}], ${sizeOf(shape)} numbers`, input.length, 'INVALID_SHAPE');
    }
    return;
  }
  assertTensor(site.backend, `${where}: ${name}`, input);
  if (input.dtype === 'i32') fail('dtype f32, f16 or i8', input.dtype, 'INVALID_DTYPE');
  if (input.shape.length !== 4 || input.shape.some((length, axis) => length !== shape[axis])) {
    fail(`shape [${shape.join(', ')}]`, [...input.shape], 'INVALID_SHAPE');
  }
}

/** A live tensor of this backend. */
export function assertTensor(backend: Backend, where: string, tensor: Tensor): void {
  if (tensor.backend !== backend) {
    throw new LifetimeError(
      `${where}: expected a tensor of backend ${backend.name}, got one of ${tensor.backend.name}`,
      {
        code: 'BACKEND_MISMATCH',
        expected: backend.name,
        actual: tensor.backend.name,
        hint: 'read it with data() and give the numbers, or make it with this backend (another instance is another backend)',
      },
    );
  }
  void tensor.storage; // throws TENSOR_DISPOSED
}

function checkLengths(
  where: string,
  lengths: readonly number[] | undefined,
  batch: number,
  tokens: number,
): readonly number[] {
  if (lengths === undefined) return new Array<number>(batch).fill(tokens);
  if (!isList(lengths)) throw inputError(where, 'lengths to be an array', lengths);
  if (lengths.length !== batch)
    throw inputError(where, `${batch} lengths, one a batch row`, lengths.length);
  for (const length of lengths) {
    if (!(Number.isInteger(length) && length >= 0 && length <= tokens)) {
      throw inputError(where, `lengths to be whole numbers from 0 to ${tokens}`, length);
    }
  }
  return [...lengths];
}

/** All of them, or none: what was made before one fails is freed. */
function toTensors(
  site: Site,
  expected: readonly Expected[],
  batch: number,
  owned: Tensor[],
): Tensor[] {
  try {
    return expected.map((one) => toTensor(site, one, batch, owned));
  } catch (error) {
    for (const tensor of owned) tensor.dispose();
    throw error;
  }
}

function toTensor(
  site: Site,
  { input, heads, tokens, width }: Expected,
  batch: number,
  owned: Tensor[],
): Tensor {
  let tensor: Tensor;
  if (Tensor.is(input)) {
    tensor = input;
  } else {
    // The numbers of one token lie alike in both layouts: a decoder step has nothing to permute.
    const layout = tokens === 1 ? 'bhtd' : site.layout;
    tensor = site.backend.tensor(input, { shape: shapeIn(layout, batch, heads, tokens, width) });
    owned.push(tensor);
    if (layout === 'bhtd') return tensor;
  }
  if (site.layout === 'bhtd') return tensor;
  const permuted = site.backend.permute(tensor, [0, 2, 1, 3]);
  owned.push(permuted);
  return permuted;
}
