import type { AdoptedModel, AdoptOptions } from './model.js';
import type { ModelSource } from './source.js';

/**
 * Puts our attention into an existing ONNX model: the graph is cut at its attentions, ONNX Runtime runs the pieces,
 * and a strategy decides what each layer reads.
 *
 *     const model = await adopt('models/SmolLM2', { strategy: topk({ budget: 1024 }), layers: '2-' });
 *     for await (const token of model.generate(ids, { maxNewTokens: 100 })) …
 *     await model.dispose();
 *
 * @throws {InputError} `MISSING_INPUT` (a file), `INVALID_OPTION`, `INVALID_DTYPE`, `UNSUPPORTED` (with node,
 *   attribute and file)
 * @throws {ModelError} `MODEL_INVALID`, `MODEL_MISMATCH`
 * @throws {BackendError} `BACKEND_FAILED` when ONNX Runtime does not load a piece
 */
export function adopt(source: ModelSource, options: AdoptOptions = {}): Promise<AdoptedModel> {
  void source;
  void options;
  throw new Error('not here yet');
}
