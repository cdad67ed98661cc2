/**
 * A model as people have it: the path of a Hugging Face directory (Node), or its files.
 *
 * The directory has `config.json`, `onnx/model.onnx` (or another `onnx/model*.onnx`, see `file` of the options; or
 * beside `config.json`), external data beside that, and often `generation_config.json`.
 */
export type ModelSource = string | URL | ModelFiles;

/** The files of a model, for where there is no file system. */
export interface ModelFiles {
  /** `config.json`, parsed. */
  readonly config: Readonly<Record<string, unknown>>;
  /** `generation_config.json`, parsed: where generating stops. */
  readonly generationConfig?: Readonly<Record<string, unknown>> | undefined;
  /** The bytes of `model.onnx`; in Node, a path as well. */
  readonly model: Uint8Array | string | URL;
  /**
   * Files that the model keeps weights in, by the names that it gives them. With a path as `model` they are found
   * beside it.
   */
  readonly externalData?: Readonly<Record<string, Uint8Array>> | undefined;
}
