/**
 * A WASM module that does nothing but fused multiply-adds on vectors: `run(iterations)`. What it reaches is what
 * kernels of the same instructions could reach if loads, stores and the softmax cost nothing.
 */

/** Independent sums: enough to hide the latency of an addition, few enough to stay in registers. */
const SUMS = 12;
/** Additions to each sum in an iteration, so that the loop itself costs little. */
const UNROLLED = 8;

/** Multiplications and additions of an iteration: vectors of four. */
export const FLOPS_OF_ITERATION: number = 2 * 4 * SUMS * UNROLLED;

/** Of each product: a power of two, so that the sums stay exact for long. */
const FACTOR = 2 ** -10;

const I32 = 0x7f;
const F32 = 0x7d;
const V128 = 0x7b;
const SPLAT = [0xfd, 0x13];
const ADD = [0xfd, 0xe4, 0x01];
const RELAXED_MADD = [0xfd, 0x85, 0x02];
const FIRST_LANE = [0xfd, 0x1f, 0x00];

// Parameter 0 counts down; then the sums; then the two factors.
const sums = Array.from({ length: SUMS }, (_, i) => 1 + i);
const [X, Y] = [SUMS + 1, SUMS + 2];

const get = (local: number): number[] => [0x20, local];
const set = (local: number): number[] => [0x21, local];
const vector = (value: number): number[] => [
  0x43,
  ...new Uint8Array(Float32Array.of(value).buffer),
  ...SPLAT,
];
/** Length in front; lengths of 128 and more take two bytes. */
const sized = (bytes: readonly number[]): number[] => [...unsigned(bytes.length), ...bytes];
const unsigned = (value: number): number[] =>
  value < 128 ? [value] : [(value & 127) | 128, ...unsigned(value >> 7)];
const section = (id: number, bytes: readonly number[]): number[] => [id, ...sized(bytes)];

/** `sum = x * y + sum`, as in a product of matrices. */
const step = (sum: number): number[] => [
  ...get(X),
  ...get(Y),
  ...get(sum),
  ...RELAXED_MADD,
  ...set(sum),
];
const iteration = Array.from({ length: UNROLLED }, () => sums.flatMap(step)).flat();
/** `do … while (--iterations != 0)` */
const loop = [0x03, 0x40, ...iteration, ...get(0), 0x41, 1, 0x6b, 0x22, 0, 0x0d, 0, 0x0b];
const total = [
  ...get(sums[0]),
  ...sums.slice(1).flatMap((sum) => [...get(sum), ...ADD]),
  ...FIRST_LANE,
];
const body = [
  ...[1, SUMS + 2, V128],
  ...sums.flatMap((sum) => [...vector(sum), ...set(sum)]),
  ...[...vector(FACTOR), ...set(X), ...vector(FACTOR), ...set(Y)],
  ...loop,
  ...total,
  0x0b,
];

export const FMA_MODULE: Uint8Array<ArrayBuffer> = Uint8Array.from([
  ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
  ...section(1, [1, 0x60, 1, I32, 1, F32]),
  ...section(3, [1, 0]),
  ...section(7, [1, ...sized([...'run'].map((letter) => letter.charCodeAt(0))), 0, 0]),
  ...section(10, [1, ...sized(body)]),
]);
