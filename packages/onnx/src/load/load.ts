import { inputError, InputError, ModelError } from '@jit-attention/core';
import { type TensorProto, TensorProto_DataLocation as DataLocation } from 'onnx-buf';

import type { OnnxGraph } from '../graph.js';
import { externalDataOf } from '../graph/external.js';
import { readGraph } from '../graph/read.js';
import type { Runtime, RuntimeSessionOptions } from '../runtime.js';
import type { ModelFiles, ModelSource } from '../source.js';
import { type ModelConfig, readConfig } from './config.js';
import { missing, readDirectory } from './directory.js';
import { type NodeModules, nodeModules } from './node.js';

/** A model that is read and understood as far as its files go. */
export interface LoadedModel {
  readonly config: ModelConfig;
  readonly graph: OnnxGraph;
  /** Lets sessions find the weights that pieces of the graph refer to. */
  readonly weights: RuntimeSessionOptions;
  /** The whole model, for a session that is compared with. */
  readonly original: Uint8Array | string;
}

/** @throws {InputError} `MISSING_INPUT`, `INVALID_OPTION` @throws {ModelError} `MODEL_INVALID` */
export function loadModel(source: ModelSource, runtime: Runtime, file?: string): LoadedModel {
  const files = filesOf(source, file);
  const { model, config, generationConfig } = files;
  const found =
    model instanceof Uint8Array ? fromBytes(files, model) : fromPath(pathOf(model), runtime);
  return { config: readConfig(config, generationConfig), ...found };
}

function filesOf(source: ModelSource, file: string | undefined): ModelFiles {
  if (typeof source === 'string' || source instanceof URL)
    return readDirectory(assertNode(String(source)), pathOf(source), file);
  if (typeof source?.config === 'object' && source.model !== undefined) return source;
  throw inputError('adopt', 'the path of a directory, or { config, model }', source);
}

function pathOf(place: string | URL): string {
  return typeof place === 'string' ? place : assertNode(place.href).url.fileURLToPath(place);
}

function assertNode(place: string): NodeModules {
  const node = nodeModules();
  if (node) return node;
  throw inputError('adopt', 'bytes where there is no file system', place, {
    hint: 'fetch the files and pass { config, model: bytes, externalData }',
  });
}

type Found = Pick<LoadedModel, 'graph' | 'weights' | 'original'>;

function fromBytes({ externalData = {} }: ModelFiles, bytes: Uint8Array): Found {
  const name = 'model.onnx';
  const graph = readGraph(name, bytes);
  const files: Record<string, Uint8Array | undefined> = { ...externalData, [name]: bytes };
  assertWeights(graph, (location) => files[location]?.byteLength);
  const listed = Object.entries(files).map(([path, data]) => ({ path, data }));
  return { graph, weights: { externalData: listed }, original: bytes };
}

function fromPath(path: string, runtime: Runtime): Found {
  const node = assertNode(path);
  const { fs, path: paths } = node;
  const folder = paths.dirname(path);
  const name = paths.basename(path);
  const sizeOf = (location: string): number | undefined =>
    fs.statSync(paths.join(folder, location), { throwIfNoEntry: false })?.size;
  if (sizeOf(name) === undefined) throw missing(`${path} is missing`);
  const bytes = fs.readFileSync(path);
  const graph = readGraph(name, bytes);
  assertWeights(graph, sizeOf);
  if (readsFiles(runtime)) {
    const session = { model_external_initializers_file_folder_path: folder };
    return { graph, weights: { extra: { session } }, original: path };
  }
  const files = locationsOf(graph).map((location) => ({
    path: location,
    data: location === name ? bytes : fs.readFileSync(paths.join(folder, location)),
  }));
  return { graph, weights: { externalData: files }, original: bytes };
}

/** onnxruntime-node maps files into memory by itself; onnxruntime-web, in Node as well, has to be given them. */
function readsFiles({ env }: Runtime): boolean {
  return !('web' in (env?.versions ?? {}));
}

const isExternal = (tensor: TensorProto): boolean => tensor.dataLocation === DataLocation.EXTERNAL;

function locationsOf(graph: OnnxGraph): string[] {
  const external = graph.model.graph!.initializer.filter(isExternal);
  return [...new Set(external.map((tensor) => externalDataOf(tensor).location))];
}

/** Every weight lies inside its file. */
function assertWeights(graph: OnnxGraph, sizeOf: (location: string) => number | undefined): void {
  const sizes = new Map(locationsOf(graph).map((location) => [location, sizeOf(location)]));
  for (const tensor of graph.model.graph!.initializer.filter(isExternal)) {
    const { location, offset, length = 0 } = externalDataOf(tensor);
    const size = sizes.get(location);
    if (size === undefined) {
      throw new InputError(`${location} is missing: ${graph.file} keeps weights there`, {
        code: 'MISSING_INPUT',
        expected: location,
        hint: 'copy it beside the model, or pass it in externalData',
      });
    }
    if (offset + length > size) {
      throw new ModelError(
        `${location}: expected at least ${offset + length} bytes for ${tensor.name}, got ${size}`,
        {
          code: 'MODEL_INVALID',
          expected: offset + length,
          actual: size,
          hint: 'the file is cut short; copy it anew from the repository of the model',
        },
      );
    }
  }
}
