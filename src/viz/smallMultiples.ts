/**
 * Every layer and head at once: a grid of tiny heat maps on one common scale.
 *
 * A tiny map is one path per colour, with equal neighbours joined, so that hundreds fit into one page.
 */

import { divergingLevels, levelOf, positionOf, rampLevels, type Scale } from './client/shared.js';
import type { Weights } from './heatMap.js';
import { type Drawing, element, label, moved, shape, text } from './markup.js';
import type { GroupEntry, PictureGroup } from './pictureGroup.js';

/** Colours of a tiny map: a part of the ramp, since fine steps cannot be seen at that size; odd has a middle. */
const [tinyLevels, tinyDifferences] = [16, 17];

const gap = 10;
const rowRoom = 52;
const columnRoom = 22;

/** Class of the stroke of one tiny cell: a level of the ramp, or `hatch` for masked. */
function strokeOf(weight: number, maximum: number, scale: Scale): string {
  if (Number.isNaN(weight)) return 'hatch';
  const position = positionOf(weight, maximum, scale);
  const [name, few, all] =
    scale === 'difference' ? ['u', tinyDifferences, divergingLevels] : ['t', tinyLevels, rampLevels];
  return `${name}${Math.round((levelOf(position, 1, few) * (all - 1)) / (few - 1))}`;
}

/** One path per colour in a space of one unit a cell; the lowest colour is left to the background. */
function tinyPaths({ weights }: Weights, { maximum, scale }: PictureGroup): string {
  const background = strokeOf(0, maximum, scale);
  const paths = new Map<string, string>();
  weights.forEach((row, r) => {
    const strokes = row.map((weight) => strokeOf(weight, maximum, scale));
    for (let start = 0; start < strokes.length; ) {
      const stroke = strokes[start] ?? '';
      let end = start + 1;
      while (strokes[end] === stroke) end++;
      if (stroke !== background) paths.set(stroke, `${paths.get(stroke) ?? ''}M${start} ${r}h${end - start}`);
      start = end;
    }
  });
  return [...paths].map(([stroke, d]) => shape('path', { class: stroke, d })).join('');
}

/** Size of one tiny map in pixels. */
function tinySize(group: PictureGroup): readonly [width: number, height: number] {
  const unit = Math.max(0.5, Math.min(9, 76 / Math.max(group.columns.length, group.rows.length)));
  return [group.columns.length * unit, group.rows.length * unit];
}

function tinyMap(group: PictureGroup, entry: GroupEntry, chosen: number | undefined, index: number): string {
  const [width, height] = tinySize(group);
  const unit = (width / group.columns.length).toFixed(3);
  const paths = element(
    'g',
    { class: 'tiny', transform: `scale(${unit})translate(0 .5)` },
    tinyPaths(entry.picture, group),
  );
  const room = shape('rect', {
    class: group.scale === 'difference' ? 'room even' : 'room',
    x: -2.5,
    y: -2.5,
    width: width + 5,
    height: height + 5,
  });
  const x = rowRoom + entry.column * (width + gap);
  const y = columnRoom + entry.row * (height + gap);
  const transform = `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
  if (chosen === undefined) return element('g', { transform }, element('title', {}, text(entry.label)), room, paths);
  const radio = { role: 'radio', 'aria-checked': String(index === chosen), tabindex: index === chosen ? 0 : undefined };
  return element('g', { transform, ...radio, 'aria-label': entry.label }, room, paths);
}

/**
 * Draws the grid of a group. With `chosen`, the index of an entry, the maps are radio buttons for a page.
 */
export function drawSmallMultiples(group: PictureGroup, chosen?: number): Drawing {
  const [width, height] = tinySize(group);
  const names = [
    ...group.rowNames.map((name, row) =>
      label(name, { class: 'axis', x: 0, y: columnRoom + row * (height + gap) + height / 2 + 4 }),
    ),
    ...group.columnNames.map((name, column) =>
      label(name.replace('head ', width < 44 ? '' : 'head '), {
        class: 'axis',
        x: rowRoom + column * (width + gap) + width / 2,
        y: 12,
        'text-anchor': 'middle',
      }),
    ),
  ];
  const maps = group.entries.map((entry, index) => tinyMap(group, entry, chosen, index));
  const hidden = chosen === undefined ? {} : { 'aria-hidden': 'true' };
  return {
    width: rowRoom + group.columnNames.length * (width + gap),
    height: columnRoom + group.rowNames.length * (height + gap),
    body: element('g', hidden, ...names) + moved(0, 0, maps.join('')),
  };
}
