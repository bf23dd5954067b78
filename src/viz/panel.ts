/**
 * One group of pictures in a page: the large heat map, its value line, the grid of all layers and heads that chooses
 * what is shown large, and the same numbers as a table.
 */

import type { AttentionPicture } from '../core/records.js';
import type { PanelData } from './client/data.js';
import { type Scale, weightText } from './client/shared.js';
import { encodeFloats, storedWeight } from './encodeFloats.js';
import { drawHeatMap, type Weights } from './heatMap.js';
import { element, shape, text } from './markup.js';
import { type GroupEntry, groupPictures, type PictureGroup } from './pictureGroup.js';
import { type HeadName, mostChanged, mostSelective } from './selective.js';
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

/**
 * Index of the entry to show first: the first of the chosen heads that belongs to the group, else its most selective
 * head, or for differences its most changed (selective.ts).
 */
export function firstChoice(group: PictureGroup, chosen: readonly HeadName[] = []): number {
  const indexOf = (name: HeadName | undefined): number =>
    group.entries.findIndex(({ head }) => head?.path === name?.path && head?.head === name?.head);
  const wanted = chosen.map(indexOf).find((index) => index >= 0);
  if (wanted !== undefined) return wanted;
  const heads = group.entries.flatMap(({ head }) => (head ? [head] : []));
  return indexOf(group.scale === 'difference' ? mostChanged(heads) : mostSelective(heads));
}

function panelData(group: PictureGroup, choice: number): PanelData {
  return {
    rows: group.rows.map((token) => describedText(token)),
    columns: group.columns.map((token) => describedText(token)),
    maximum: group.maximum,
    scale: group.scale,
    choice,
    pictures: group.entries.map(({ label, picture, head }) => ({
      label,
      ...(head && { head: { path: head.path, head: head.head } }),
      weights: encodeFloats(picture.weights.flat(), 3),
    })),
  };
}

function table({ rows, columns, weights }: Weights, caption: string, scale: Scale): string {
  const head = columns.map((token) => element('th', { scope: 'col' }, text(describedText(token))));
  const body = rows.map((token, r) => {
    const values = (weights[r] ?? []).map((weight) => element('td', {}, weightText(storedWeight(weight), scale)));
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
  chosen?: readonly HeadName[],
): Figure<PanelData> {
  const choice = firstChoice(group, chosen);
  const entry = group.entries[choice] as GroupEntry;
  const title = `${group.stack}, ${describedText(context)}`;
  const map = drawHeatMap(entry.picture, {
    ...axisTitles(group, names),
    maximum: group.maximum,
    scale: group.scale,
    interactive: true,
  });
  const mapHtml = element(
    'div',
    { class: 'map' },
    element('p', { class: 'chosen' }, text(entry.label)),
    tools(group.scale),
    element('div', { class: 'scroll' }, svgFragment(map, { role: 'grid', 'aria-label': title })),
    element('output', { 'aria-live': 'polite' }, 'Point at a cell, or use the arrow keys, to read its weight.'),
  );
  const html = element(
    'section',
    { class: 'panel', 'aria-label': title, 'data-shown': group.scale },
    element('h4', {}, text(group.stack)),
    element('div', { class: 'side' }, mapHtml, multiples(group, choice, title)),
    table(entry.picture, title, group.scale),
  );
  return { html, data: panelData(group, choice) };
}

/** What changes the large map beside its head: zoom, and the scale of its colours. */
function tools(scale: Scale): string {
  const zoom = (key: string, name: string, sign: string): string =>
    element('button', { type: 'button', 'data-zoom': key, 'aria-label': name, title: `${name} (${key})` }, sign);
  const box = shape('input', { type: 'checkbox', 'data-scale': 'logarithmic' });
  return element(
    'div',
    { class: 'tools' },
    zoom('-', 'Smaller', '−'),
    zoom('0', 'Own size', '1:1'),
    zoom('+', 'Larger', '+'),
    scale === 'linear' ? element('label', {}, box, ' logarithmic') : '',
  );
}

function multiples(group: PictureGroup, choice: number, title: string): string {
  if (group.entries.length < 2) return '';
  const drawing = drawSmallMultiples(group, choice);
  const svg = svgFragment(drawing, {
    role: 'radiogroup',
    'aria-label': `Layer and head, ${title}`,
    'data-columns': group.columnNames.length,
  });
  const hint = element('p', { class: 'hint' }, 'Every layer and head, on one scale. Choose one to see it large.');
  return element('div', { class: 'multiples' }, hint, element('div', { class: 'scroll' }, svg));
}

/** Panels of all groups of some pictures. */
export function renderPanels(
  pictures: readonly AttentionPicture[],
  names: AxisNames,
  context: string,
  chosen?: readonly HeadName[],
  scale?: Scale,
): Figure<PanelData>[] {
  return groupPictures(pictures, scale).map((group) => renderPanel(group, names, context, chosen));
}
