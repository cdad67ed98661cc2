import * as Plot from '@observablehq/plot';
import { parseHTML } from 'linkedom';

import { type Html, raw } from './html.js';

/** Width of a drawing in its own units; the page scales it to its column. */
export const WIDTH = 440;

/** Draws with Observable Plot, without a browser; colours come from the page's style sheet. */
export function draw(label: string, options: Plot.PlotOptions): Html {
  const { document } = parseHTML('<!doctype html><html><body></body></html>');
  const svg = Plot.plot({
    document: document,
    width: WIDTH,
    className: 'plot',
    style: { fontSize: '12px' },
    ariaLabel: label,
    ...options,
  });
  svg.setAttribute('role', 'img');
  return raw(svg.outerHTML);
}
