import { defineConfig } from 'tsup';

import { base } from '../../tsup.base.ts';

export default defineConfig({
  ...base,
  entry: { cli: 'src/cli.ts', 'peer-process': 'src/peers/process.ts' },
  // Peers are there in the workspace, and may be there elsewhere: they are never part of the command.
  external: [
    '@jax-js/jax',
    '@tensorflow/tfjs-backend-wasm',
    '@tensorflow/tfjs-core',
    'onnxruntime-web',
    'playwright-core',
    'vite',
  ],
  dts: false,
});
