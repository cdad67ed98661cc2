import { join } from 'node:path';

import ts from 'typescript';

import { root } from './pages.js';

/** What the compiler has against these files, in its own words; strict, as in a reader's project. */
export function typeErrors(files: readonly string[], conditions: readonly string[]): string[] {
  const program = ts.createProgram([...files], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    lib: ['lib.es2022.d.ts', 'lib.esnext.disposable.d.ts', 'lib.dom.d.ts'],
    customConditions: [...conditions],
    types: ['node'],
    typeRoots: [join(root, 'node_modules/@types')],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    noEmit: true,
  });
  return ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const place = file
      ? `${file.fileName}:${file.getLineAndCharacterOfPosition(start).line + 1}: `
      : '';
    return place + ts.flattenDiagnosticMessageText(messageText, '\n');
  });
}
