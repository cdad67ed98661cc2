import { inputError } from '@jit-attention/core';

import { builtin, nodeVersion } from './node.js';

/** The two builds of the kernels: with relaxed SIMD (fused multiply-add) and with what every SIMD host has. */
export type Variant = 'relaxed' | 'simd128';

/** `(func (result v128) i32.const 0 i8x16.splat i8x16.popcnt)` */
const SIMD128 = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15,
  253, 98, 11,
];
/** `(func (result v128) i32.const 1 i8x16.splat i32.const 2 i8x16.splat i8x16.relaxed_swizzle)` */
const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15,
  65, 2, 253, 15, 253, 128, 2, 11,
];

const accepts = (module: readonly number[]): boolean =>
  typeof WebAssembly === 'object' && WebAssembly.validate(new Uint8Array(module));

/**
 * The best variant this host can run, or the one that is wanted; `undefined` without SIMD.
 * @throws {InputError} `UNSUPPORTED` when the wanted one cannot run here
 */
export function chooseVariant(wanted?: Variant): Variant | undefined {
  const relaxed = wanted !== 'simd128' && (accepts(RELAXED) || switchedOn());
  const best = relaxed ? 'relaxed' : accepts(SIMD128) ? 'simd128' : undefined;
  if (!wanted || wanted === best) return best;
  throw inputError('cpu', `a host that runs simd '${wanted}'`, best ?? 'one without SIMD', {
    code: 'UNSUPPORTED',
    hint: 'leave `simd` out to take the best there is',
  });
}

/** V8 before 11.4 (Node 20) has relaxed SIMD behind a flag; where setting it is refused, nothing is changed. */
function switchedOn(): boolean {
  if (!/^v20\./.test(nodeVersion())) return false;
  try {
    builtin<{ setFlagsFromString(flag: string): void }>('node:v8')?.setFlagsFromString(
      '--experimental-wasm-relaxed-simd',
    );
    return accepts(RELAXED);
  } catch {
    return false;
  }
}
