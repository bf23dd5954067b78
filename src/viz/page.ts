/**
 * The shell of every page: one file that needs no network, with a policy that forbids any, styles, data and script inline.
 */

import type { PageData } from './client/data.js';
import { clientScript } from './client/script.js';
import { jsonForScript } from './escape.js';
import { element, text } from './markup.js';
import { pageStyle } from './pageStyle.js';
import { hatchDefinition } from './svgDocument.js';
import { stylesheet } from './theme.js';

/** Only what is inline; no request of any kind, no form, no base. */
const policy =
  "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

const definitions = `<svg width="0" height="0" aria-hidden="true" focusable="false" class="hidden">${hatchDefinition}</svg>`;

/** A page with `main` markup and the data its figures need, in the order in which they appear. */
export function renderPage(title: string, main: string, data: PageData): string {
  return [
    '<!doctype html>',
    '<html lang="en">',
    '<head>',
    '<meta charset="utf-8">',
    `<meta http-equiv="Content-Security-Policy" content="${policy}">`,
    '<meta name="viewport" content="width=device-width,initial-scale=1">',
    '<meta name="color-scheme" content="light dark">',
    '<meta name="generator" content="keyhole">',
    element('title', {}, text(title)),
    element('style', {}, stylesheet('auto', pageStyle)),
    '</head>',
    '<body>',
    definitions,
    element('main', {}, main),
    `<script type="application/json" id="keyhole-data">${jsonForScript(data)}</script>`,
    `<script>${clientScript(data)}</script>`,
    '</body>',
    '</html>',
    '',
  ].join('\n');
}
