/** `pnpm generate`: writes `model/onnx/model.onnx`. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { modelDirectory } from '../src/index.js';
import { generateOnnx } from './generate.js';

const directory = join(modelDirectory, 'onnx');
const bytes = generateOnnx();
mkdirSync(directory, { recursive: true });
writeFileSync(join(directory, 'model.onnx'), bytes);
console.log(`model/onnx/model.onnx: ${(bytes.length / 1e6).toFixed(1)} MB`);
