import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

import { type Browser, chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

/** Heads tests that need a browser where there is none. */
export const NO_CHROMIUM: string = `none of ${NAMES.join(', ')} is on the PATH, and CHROMIUM names none`;

/**
 * The machine's Chromium: the one that the environment's `CHROMIUM` names, or the first on the PATH. Playwright's own
 * is never downloaded.
 *
 * @throws {Error} when there is none and `CI` is set, which must not leave out what needs one
 */
export function findChromium(): string | undefined {
  const { CHROMIUM, PATH = '', CI } = process.env;
  const folders = PATH.split(delimiter);
  const places = folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = (CHROMIUM ? [CHROMIUM] : places).find(isExecutable);
  if (!found && CI) throw new Error(`expected a browser in CI, got none: ${NO_CHROMIUM}`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Without a GPU, WebGPU runs on SwiftShader, which is in every Chromium. */
const SWIFTSHADER = [
  '--enable-unsafe-webgpu',
  '--use-webgpu-adapter=swiftshader',
  '--enable-features=Vulkan',
  '--use-angle=swiftshader',
];

export function openChromium(
  executablePath: string,
  { webgpu = false }: { readonly webgpu?: boolean } = {},
): Promise<Browser> {
  return chromium.launch({
    executablePath,
    args: ['--no-sandbox', ...(webgpu ? SWIFTSHADER : [])],
  });
}
