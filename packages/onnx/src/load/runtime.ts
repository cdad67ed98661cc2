import { InputError } from '@jit-attention/core';

import type { Runtime } from '../runtime.js';
import { nodeModules } from './node.js';

/** A name in a variable, so that bundlers for browsers leave it alone. */
const NATIVE = 'onnxruntime-node';

/**
 * ONNX Runtime as it is installed: the native one in Node, else the one for the web.
 *
 * @throws {InputError} `MISSING_INPUT`
 */
export async function importRuntime(): Promise<Runtime> {
  const web = (): Promise<Runtime> => import('onnxruntime-web');
  const native = () =>
    import(/* @vite-ignore */ /* webpackIgnore: true */ NATIVE) as Promise<Runtime>;
  const tries = nodeModules() ? [native, web] : [web];
  let cause: unknown;
  for (const load of tries) {
    try {
      return await load();
    } catch (error) {
      cause ??= error;
    }
  }
  throw new InputError('adopt: expected ONNX Runtime, found none installed', {
    code: 'MISSING_INPUT',
    expected: 'onnxruntime-node or onnxruntime-web',
    hint: 'npm install onnxruntime-node (or onnxruntime-web), or pass options.runtime',
    cause,
  });
}
