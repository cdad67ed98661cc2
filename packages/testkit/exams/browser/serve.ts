import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { dirname } from 'node:path';

import { build, type Rolldown } from 'vite';

/** A page's script, bundled by Vite with nothing configured but where the workspace's sources are. */
export async function bundle(entry: string): Promise<string> {
  const conditions = process.env.TEST_BUILT ? [] : ['@jit-attention/source'];
  const output = (await build({
    root: dirname(entry),
    configFile: false,
    logLevel: 'error',
    resolve: { conditions: [...conditions, 'module', 'browser', 'import'] },
    build: { write: false, minify: true, lib: { entry, formats: ['es'] } },
  })) as Rolldown.RolldownOutput[];
  return output[0].output[0].code;
}

/** Headers that let a page share memory with its workers. */
const ISOLATION = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/** Serves an empty page with the script, `isolated` or not. */
export async function serve(
  script: string,
  isolated: boolean,
): Promise<{ url: string; close(): void }> {
  const server = createServer((request, response) => {
    const isScript = request.url === '/page.js';
    response.writeHead(200, {
      ...(isolated ? ISOLATION : {}),
      'Content-Type': isScript ? 'text/javascript' : 'text/html',
    });
    response.end(
      isScript ? script : '<!doctype html><script type="module" src="/page.js"></script>',
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, close: () => void server.close() };
}
