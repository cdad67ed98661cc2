/**
 * Makes the README's picture, docs/images/read-{light,dark}.png, from a report of the benchmark: the heat maps of
 * what mattered and what was read, side by side. Needs Debian's or another `chromium`.
 *
 *     npx -y pnpm@10 bench && node tools/readme-picture.js results/overview.html
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const WIDTH = 1280;
const HEIGHT = 396;
/** One map a row of the README's table of strategies; the shared pages look like the pages. */
const LEFT_OUT = /page-shared/;

/** @param {string} report */
function page(report) {
  const style = report.match(/<style>[^]*?<\/style>/)?.[0] ?? '';
  const section = report.match(/<section>\s*<h2>What mattered[^]*?<\/section>/)?.[0];
  if (!section)
    throw new Error('expected a report with heat maps, got none: was it made by `bench overview`?');
  const legend = section.match(/<ul class="legend">[^]*?<\/ul>/)?.[0] ?? '';
  const figures = (section.match(/<figure>[^]*?<\/figure>/g) ?? []).filter(
    (figure) => !LEFT_OUT.test(figure),
  );
  return `<!doctype html><meta charset="utf-8">${style}
    <style>
      main { padding: 12px 16px; max-width: none; }
      .figures { grid-template-columns: repeat(${figures.length}, 1fr); gap: 4px; margin: 8px 0 0; }
      figure { min-width: 0; margin: 0; } h3 { font-size: 15px; margin: 0 0 4px; }
    </style>
    <main>${legend}<div class="figures">${figures.join('')}</div></main>`;
}

const [, , report] = process.argv;
if (!report) throw new Error('expected the path of a report, got none; try results/overview.html');
const folder = mkdtempSync(join(tmpdir(), 'readme-picture-'));
const source = join(folder, 'picture.html');
writeFileSync(source, page(readFileSync(report, 'utf8')));
mkdirSync('docs/images', { recursive: true });
for (const [scheme, flags] of Object.entries({
  light: [],
  dark: ['--force-dark-mode', '--blink-settings=preferredColorScheme=0'],
})) {
  execFileSync('chromium', [
    ...[
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--hide-scrollbars',
      '--force-device-scale-factor=1.5',
    ],
    ...flags,
    `--window-size=${WIDTH},${HEIGHT}`,
    `--screenshot=${join('docs/images', `read-${scheme}.png`)}`,
    pathToFileURL(source).href,
  ]);
}
rmSync(folder, { recursive: true });
