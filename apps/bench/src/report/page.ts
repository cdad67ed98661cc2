import { type Html, html, raw } from './html.js';
import { STYLES } from './styles.js';

/** One page that needs nothing else: no script, no font, no other file. */
export function pageOf(title: string, sections: readonly (Html | undefined)[]): string {
  return html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title}</title>
        <style>
          ${raw(STYLES)}
        </style>
      </head>
      <body>
        <main>${sections}</main>
      </body>
    </html> `.toString();
}
