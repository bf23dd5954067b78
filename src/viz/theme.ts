/**
 * One stylesheet for every picture, in three forms: following the reader's light or dark setting (custom properties),
 * or fixed to either (plain values, for renderers such as resvg that know no custom properties).
 */

import { darkDiverging, darkRamp, lightDiverging, lightRamp } from './colour.js';

/** `auto` follows prefers-color-scheme. */
export type Theme = 'auto' | 'light' | 'dark';

type Palette = Readonly<Record<string, string>>;

/** Sans and mono faces that are present on common systems; Liberation and DejaVu stand in on Linux. Unquoted: resvg
 * reads only the last of a list with quotes. */
export const sansFont = 'Helvetica Neue, Helvetica, Arial, Liberation Sans, DejaVu Sans, sans-serif';
export const monoFont = 'ui-monospace, Menlo, Consolas, DejaVu Sans Mono, Liberation Mono, monospace';

/** Line colours: Okabe and Ito (2008), darkened for light and lightened for dark paper to reach 3:1 contrast. */
const lightSeries = ['#0072b2', '#cc5500', '#00805e', '#b0478a', '#8f6a00', '#5b3fa0', '#2e8fc4', '#5a606b'];
const darkSeries = ['#56b4e9', '#ff8a4c', '#2fc79a', '#e79ac5', '#e6b93c', '#b29cf0', '#9ad0f5', '#b9bec7'];

/** Number of line colours; more series repeat them with dashes. */
export const seriesColours = lightSeries.length;

type Ramps = readonly [weights: readonly string[], differences: readonly string[]];

function palette(plain: Palette, [ramp, differences]: Ramps, series: readonly string[]): Palette {
  return {
    ...plain,
    ...Object.fromEntries(differences.map((colour, level) => [`v${level}`, colour])),
    ...Object.fromEntries(ramp.map((colour, level) => [`w${level}`, colour])),
    ...Object.fromEntries(series.map((colour, index) => [`s${index}`, colour])),
  };
}

const light = palette(
  {
    paper: '#ffffff',
    raised: '#f6f7f9',
    ink: '#1c1f26',
    muted: '#5a606b',
    line: '#d9dce2',
    hatch: '#a9aeb8',
    accent: '#c2410c',
    good: '#046c4e',
    bad: '#b42318',
  },
  [lightRamp, lightDiverging],
  lightSeries,
);
const dark = palette(
  {
    paper: '#14161b',
    raised: '#1c1f26',
    ink: '#eceef2',
    muted: '#a3a9b5',
    line: '#343944',
    hatch: '#5d6471',
    accent: '#ffa15c',
    good: '#4ade9f',
    bad: '#ff8a80',
  },
  [darkRamp, darkDiverging],
  darkSeries,
);

function pictureRules(): string {
  const ramp = lightRamp.map((_, level) => `.w${level}{fill:var(--w${level})}`);
  const strokes = lightRamp.map((_, level) => `.t${level}{stroke:var(--w${level})}`);
  const differences = lightDiverging.map((_, at) => `.v${at}{fill:var(--v${at})}.u${at}{stroke:var(--v${at})}`);
  const lines = lightSeries.map((_, index) => `.s${index}{stroke:var(--s${index})}.d${index}{fill:var(--s${index})}`);
  return [
    `text{font-family:${sansFont};font-size:12px;fill:var(--ink)}`,
    `.token{font-family:${monoFont}}.token.over{fill:var(--paper)}`,
    '.muted{fill:var(--muted)}.heading{font-size:14px;font-weight:600}.axis{fill:var(--muted)}',
    '.rule{stroke:var(--line);stroke-width:1;fill:none}.paper{fill:var(--paper)}.raised{fill:var(--raised)}',
    '.hatch{stroke:var(--hatch);stroke-width:1.2}.x{fill:url(#keyhole-hatch)}',
    '.curve{fill:none;stroke-width:2;stroke-linejoin:round;stroke-linecap:round}.dashed{stroke-dasharray:5 4}',
    '.value{fill:var(--ink);pointer-events:none;font-variant-numeric:tabular-nums}.value.over{fill:var(--paper)}',
    '.pin text{fill:var(--paper);font-size:10px;font-weight:700}.pin rect{stroke:var(--paper);fill:var(--muted)}.pin.warning rect{fill:var(--accent)}.pin.error rect,.pin.critical rect{fill:var(--bad)}',
    '.room.whole{fill:none}',
    '.lines{fill:none;stroke-width:2}',
    '.tiny{fill:none;stroke-width:1;shape-rendering:crispEdges}.tiny .hatch{stroke:var(--line)}.frame{fill:none;stroke:var(--line)}.room{fill:var(--w0);stroke:var(--line)}.room.even{fill:var(--v31)}.parting{stroke:var(--ink);stroke-width:1.5;stroke-dasharray:4 3}',
    ...ramp,
    ...strokes,
    ...differences,
    ...lines,
  ].join('\n');
}

/** `--name:value` for every colour of a palette. */
function properties(colours: Palette): string {
  return Object.entries(colours)
    .map(([name, value]) => `--${name}:${value}`)
    .join(';');
}

/** `css` with every `var(--name)` replaced by the palette's value. */
function fixed(css: string, colours: Palette): string {
  return css.replace(/var\(--(\w+)\)/g, (whole, name: string) => colours[name] ?? whole);
}

/** The rules of all pictures; `extra` rules may use the same custom properties. */
export function stylesheet(theme: Theme, extra = ''): string {
  const rules = `${pictureRules()}\n${extra}`;
  if (theme !== 'auto') return fixed(rules, theme === 'light' ? light : dark);
  const darkRule = `@media (prefers-color-scheme:dark){:root{${properties(dark)}}}`;
  return `:root{color-scheme:light dark;${properties(light)}}\n${darkRule}\n${rules}`;
}
