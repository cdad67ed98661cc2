import { createReadStream, existsSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname, extname, join } from 'node:path';
import { Readable } from 'node:stream';

import { build, type Rolldown } from 'vite';

/** ONNX Runtime's condition for a build without its WASM, tens of megabytes that a library's bundle would inline. */
const EXTERN_WASM = 'onnxruntime-web-use-extern-wasm';

/** A page's script, bundled by Vite with nothing configured but where the workspace's sources are. */
export async function bundle(entry: string): Promise<string> {
  const conditions = process.env.TEST_BUILT ? [] : ['@jit-attention/source'];
  const output = (await build({
    root: dirname(entry),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: [...conditions, EXTERN_WASM, 'module', 'browser', 'import'] },
    build: {
      ...{ write: false, minify: true, lib: { entry, formats: ['es'] } },
      rolldownOptions: { output: { codeSplitting: false } },
    },
  })) as Rolldown.RolldownOutput[];
  return output[0].output[0].code;
}

/** Headers that let a page share memory with its workers. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** A page to open. */
export interface Site {
  readonly script: string;
  /** Whether it may share memory with workers. */
  readonly isolated: boolean;
  /** Folders whose files are served, by the path that they are served under: `{ '/models/': … }`. */
  readonly folders?: Readonly<Record<string, string>> | undefined;
}

const TYPES: Readonly<Record<string, string>> = {
  '.js': 'text/javascript',
  '.json': 'application/json',
  '.mjs': 'text/javascript',
  '.wasm': 'application/wasm',
};

/** Its icon is empty: a browser asks for one that is not named. */
const PAGE =
  '<!doctype html><link rel="icon" href="data:," /><script type="module" src="/page.js"></script>';

/** Serves an empty page with the script. */
export async function serve(site: Site): Promise<{ url: string; close(): void }> {
  const server = createServer(({ url }, response) => {
    const { pathname } = new URL(url!, 'http://localhost');
    const body = bodyOf(site, pathname);
    response.writeHead(body === undefined ? 404 : 200, {
      ...(site.isolated ? ISOLATION : {}),
      'Content-Type': TYPES[extname(pathname)] ?? 'text/html',
    });
    if (body instanceof Readable) body.pipe(response);
    else response.end(body);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}

function bodyOf({ script, folders = {} }: Site, path: string): string | Readable | undefined {
  if (path === '/') return PAGE;
  if (path === '/page.js') return script;
  const prefix = Object.keys(folders).find((prefix) => path.startsWith(prefix));
  if (prefix === undefined) return undefined;
  // `new URL` has taken out every `..`
  const file = join(folders[prefix], path.slice(prefix.length));
  return existsSync(file) ? createReadStream(file) : undefined;
}
