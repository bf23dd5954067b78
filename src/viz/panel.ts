/**
 * One group of pictures in a page: the large heat map, its value line, the grid of all layers and heads that chooses
 * what is shown large, and the same numbers as a table.
 */

import type { AttentionPicture } from '../core/records.js';
import { type PanelData, type StoredWeight, weightText } from './client/interact.js';
import { drawHeatMap, type Weights } from './heatMap.js';
import { element, text } from './markup.js';
import { type GroupEntry, groupPictures, type PictureGroup } from './pictureGroup.js';
import { drawSmallMultiples } from './smallMultiples.js';
import { svgFragment } from './svgDocument.js';
import { describedText } from './visibleText.js';

/** What the tokens of a model's two sides are called, such as letters and sounds. */
export interface AxisNames {
  readonly input: string;
  readonly output: string;
}

/** Markup of a figure and what the page's script needs for it. */
export interface Figure<Data> {
  readonly html: string;
  readonly data: Data;
}

/** Titles of a group's axes: cross-attention asks with outputs; self-attention stays on its own side. */
export function axisTitles(group: PictureGroup, names: AxisNames): { rowTitle: string; columnTitle: string } {
  if (group.kind === 'cross') return { rowTitle: names.output, columnTitle: names.input };
  const own = group.stack.startsWith('Decoder') ? names.output : names.input;
  return { rowTitle: own, columnTitle: own };
}

/** Index of the entry to show first: the chosen head if it belongs to the group, else the last, the mean of all. */
export function firstChoice(group: PictureGroup, chosen?: Pick<AttentionPicture, 'path' | 'head'>): number {
  const isChosen = ({ picture }: GroupEntry): boolean =>
    'path' in picture && 'head' in picture && picture.path === chosen?.path && picture.head === chosen?.head;
  const index = group.entries.findIndex(isChosen);
  return index >= 0 ? index : group.entries.length - 1;
}

/** Four decimals, as shown; null where masked. */
function stored(weight: number): StoredWeight {
  return Number.isNaN(weight) ? null : Math.round(weight * 1e4) / 1e4;
}

function panelData(group: PictureGroup): PanelData {
  return {
    rows: group.rows.map((token) => describedText(token)),
    columns: group.columns.map((token) => describedText(token)),
    maximum: group.maximum,
    pictures: group.entries.map(({ label, picture }) => ({
      label,
      weights: picture.weights.map((row) => row.map(stored)),
    })),
  };
}

function table({ rows, columns, weights }: Weights, caption: string): string {
  const head = columns.map((token) => element('th', { scope: 'col' }, text(describedText(token))));
  const body = rows.map((token, r) => {
    const values = (weights[r] ?? []).map((weight) => element('td', {}, weightText(stored(weight))));
    return element('tr', {}, element('th', { scope: 'row' }, text(describedText(token))), ...values);
  });
  const corner = element('th', { scope: 'col' }, element('span', { class: 'hidden' }, 'query'));
  const content = element(
    'table',
    {},
    element('caption', {}, text(caption)),
    element('thead', {}, element('tr', {}, corner, ...head)),
    element('tbody', {}, ...body),
  );
  const scroll = { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': `${caption}: values` };
  return element('details', {}, element('summary', {}, 'Values as a table'), element('div', scroll, content));
}

/** Renders one group; `context` (such as the word) distinguishes it for screen readers. */
export function renderPanel(
  group: PictureGroup,
  names: AxisNames,
  context: string,
  chosen?: Pick<AttentionPicture, 'path' | 'head'>,
): Figure<PanelData> {
  const choice = firstChoice(group, chosen);
  const entry = group.entries[choice] as GroupEntry;
  const title = `${group.stack}, ${describedText(context)}`;
  const map = drawHeatMap(entry.picture, {
    ...axisTitles(group, names),
    maximum: group.maximum,
    interactive: true,
  });
  const mapHtml = element(
    'div',
    { class: 'map' },
    element('p', { class: 'chosen' }, text(entry.label)),
    element('div', { class: 'scroll' }, svgFragment(map, { role: 'grid', 'aria-label': title })),
    element('output', { 'aria-live': 'polite' }, 'Point at a cell, or use the arrow keys, to read its weight.'),
  );
  const html = element(
    'section',
    { class: 'panel', 'aria-label': title },
    element('h4', {}, text(group.stack)),
    element('div', { class: 'side' }, mapHtml, multiples(group, choice, title)),
    table(entry.picture, title),
  );
  return { html, data: panelData(group) };
}

function multiples(group: PictureGroup, choice: number, title: string): string {
  if (group.entries.length < 2) return '';
  const drawing = drawSmallMultiples(group, choice);
  const svg = svgFragment(drawing, {
    role: 'radiogroup',
    'aria-label': `Layer and head, ${title}`,
    'data-columns': group.columnNames.length,
  });
  const hint = element('p', { class: 'hint' }, 'Every layer and head. Choose one to see it large.');
  return element('div', { class: 'multiples' }, hint, element('div', { class: 'scroll' }, svg));
}

/** Panels of all groups of some pictures. */
export function renderPanels(
  pictures: readonly AttentionPicture[],
  names: AxisNames,
  context: string,
  chosen?: Pick<AttentionPicture, 'path' | 'head'>,
): Figure<PanelData>[] {
  return groupPictures(pictures).map((group) => renderPanel(group, names, context, chosen));
}
