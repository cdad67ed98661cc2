/**
 * Who may depend on whom. Dependencies point one way: apps -> adoption -> (strategies, backends) -> core.
 * The lint rule (imports) and the manifest test (package.json) both read this table.
 *
 * A layer is found by the folder below `packages/`; the first match counts.
 *
 * @typedef {object} Layer
 * @property {RegExp} folder
 * @property {string[]} source packages of ours that its source may import
 * @property {string[]} tests what its tests (everything outside `src/`) may import besides
 */

/** @type {Layer[]} */
const layers = [
  { folder: /^core$/, source: [], tests: [] },
  { folder: /^testkit$/, source: ['core'], tests: [] },
  { folder: /^strategy-/, source: ['core'], tests: ['testkit'] },
  { folder: /^backend-/, source: ['core'], tests: ['testkit'] },
  {
    folder: /^onnx$/,
    source: ['core', 'backend-cpu', 'strategy-dense', 'strategy-windowed'],
    tests: ['testkit', 'reference-model', 'strategy-topk', 'onnx-writer'],
  },
  {
    folder: /^transformers$/,
    source: ['core', 'onnx'],
    tests: [
      'onnx-writer',
      'testkit',
      'reference-model',
      'backend-cpu',
      'backend-webgpu',
      'strategy-dense',
      'strategy-topk',
      'strategy-windowed',
    ],
  },
  // "tests" are also its `generate/`, which writes the graph
  { folder: /^reference-model$/, source: [], tests: ['onnx-writer'] },
  { folder: /./, source: ['core'], tests: ['testkit'] },
];

/** Our npm scope. */
export const scope = '@jit-attention/';

/**
 * Where a file lies in the workspace.
 *
 * @param {string} path relative to the repository root, with forward slashes
 * @returns {{ root: string, kind: string, folder: string, test: boolean } | undefined}
 *   `undefined` for a file outside every package
 */
export function locate(path) {
  const [kind, folder, inner] = path.split('/');
  if ((kind !== 'packages' && kind !== 'apps') || !folder || !inner) return undefined;
  return { root: `${kind}/${folder}`, kind, folder, test: inner !== 'src' };
}

/**
 * The packages of ours (without the scope) that a package may use; `undefined` means any.
 *
 * @param {string} kind `packages` or `apps`
 * @param {string} folder
 * @param {boolean} test whether the importing file is a test
 * @returns {string[] | undefined}
 */
export function allowed(kind, folder, test) {
  if (kind === 'apps') return undefined;
  const layer = layers.find((candidate) => candidate.folder.test(folder));
  if (!layer) return undefined;
  return test ? [folder, ...layer.source, ...layer.tests] : layer.source;
}
