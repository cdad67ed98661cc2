import { buildDecoder } from '@jit-attention/onnx-writer';
import { writeFileSync } from 'node:fs';

import { readConfig, tokenIds } from './config.js';
import { GgufFile } from './gguf-file.js';
import { OutputDirectory, requireFree } from './output.js';
import { runStages, type Show } from './progress.js';
import { rebuildTokenizer } from './tokenizer.js';
import { WeightFile, type WeightType } from './weight-file.js';

export interface ConvertOptions {
  /** How weights are stored; default `fp32`, which keeps every value of the GGUF file. */
  readonly dtype?: WeightType;
  /** Default `auto`. */
  readonly show?: Show;
}

/**
 * Turns a Llama-type GGUF file into a Hugging Face directory: `config.json`, `generation_config.json`,
 * `tokenizer.json`, `tokenizer_config.json`, `onnx/model.onnx` and `onnx/model.onnx_data`
 * (`model_fp16.onnx` and so on for `fp16`).
 *
 * Needs memory for one tensor at a time. The directory is there whole afterwards or, if anything fails, not
 * at all.
 *
 * @param directory must not exist, or be empty
 * @throws {InputError} `MISSING_INPUT` if there is no file, `INVALID_OPTION` if the directory is not empty
 * @throws {ModelError} `MODEL_INVALID` for a file that is damaged or incomplete, `UNSUPPORTED` for one that is
 *   not a plain Llama with a byte-level BPE tokenizer, or has tensors in an unknown format
 */
export async function convert(
  file: string,
  directory: string,
  { dtype = 'fp32', show = 'auto' }: ConvertOptions = {},
): Promise<void> {
  requireFree(directory);
  const source = await GgufFile.open(file);
  try {
    await convertOpen(source, directory, dtype, show);
  } finally {
    await source.close();
  }
}

async function convertOpen(
  source: GgufFile,
  directory: string,
  dtype: WeightType,
  show: Show,
): Promise<void> {
  // everything that can be wrong with the file is found here, before anything is written
  const { tokenizer, config: tokenizerConfig } = rebuildTokenizer(source);
  const config = readConfig(source);
  const onnx = dtype === 'fp32' ? 'model.onnx' : `model_${dtype}.onnx`;
  const weights = new WeightFile(source, config, dtype, `${onnx}_data`);
  const graph = buildDecoder(config, weights, {
    name: source.metadata.string('general.name', 'llama'),
    producer: 'jit-attention gguf',
    logitsToKeep: true,
  });
  weights.requireAllUsed();

  const out = new OutputDirectory(directory);
  const describe = () => {
    out.writeJson('config.json', {
      ...config,
      'transformers.js_config': { use_external_data_format: { [onnx]: 1 } },
    });
    out.writeJson('generation_config.json', tokenIds(source));
    out.writeJson('tokenizer.json', tokenizer);
    out.writeJson('tokenizer_config.json', tokenizerConfig);
    writeFileSync(out.path(`onnx/${onnx}`), graph);
  };
  try {
    await runStages(
      [
        { title: `${source.path}: graph, tokenizer and configuration`, run: describe },
        {
          title: `${source.tensors.size} tensors, ${(weights.length / 1e6).toFixed(0)} MB`,
          run: (at) => weights.write(out.path(`onnx/${onnx}_data`), at),
        },
      ],
      show,
    );
    out.finish();
  } catch (error) {
    out.discard();
    throw error;
  }
}
