/**
 * The pictures of one input, as HTML, SVG, PNG or JSON: the same groups, the same drawings, the same scale in each.
 */

import { UsageError } from '../core/errors.js';
import type { AttentionPicture } from '../core/records.js';
import type { Scale } from './client/shared.js';
import { type HeadView, renderHeadView } from './headView.js';
import { describeWeights, drawHeatMap } from './heatMap.js';
import { type Drawing, element, label, moved, text } from './markup.js';
import { renderPage } from './page.js';
import { type AxisNames, axisTitles, firstChoice, renderPanels } from './panel.js';
import { type GroupEntry, groupPictures, type PictureGroup } from './pictureGroup.js';
import type { HeadName } from './selective.js';
import { drawSmallMultiples } from './smallMultiples.js';
import { svgDocument } from './svgDocument.js';
import type { Theme } from './theme.js';
import { describedText } from './visibleText.js';

/** Attention of a model on one input. */
export interface AttentionFigure {
  readonly title: string;
  readonly input: string;
  readonly pictures: readonly AttentionPicture[];
  /** What the tokens of both sides are called; default inputs and outputs. */
  readonly axes?: AxisNames;
  /** The weights are differences of two (difference.ts), drawn on the diverging scale. Default false. */
  readonly difference?: boolean;
  /** Where a second text begins, for inputs of two texts. */
  readonly split?: number;
  /** The head to show large; default the most selective of each group (selective.ts). */
  readonly chosen?: HeadName;
}

function chosenHeads({ chosen }: AttentionFigure): readonly HeadName[] {
  return chosen ? [chosen] : [];
}

function scaleOf({ difference }: AttentionFigure): Scale {
  return difference ? 'difference' : 'linear';
}

const plainAxes: AxisNames = { input: 'inputs', output: 'outputs' };

function requirePictures(caller: string, figure: AttentionFigure): void {
  if (figure.pictures.length === 0) {
    throw new UsageError(`${caller}: expected at least one picture, got none; select another layer or head`);
  }
}

/** A page with every group, interactive. Errors: UsageError without pictures or too large, ShapeError. */
export function renderAttentionHtml(figure: AttentionFigure): string {
  requirePictures('renderAttentionHtml', figure);
  const panels = renderPanels(
    figure.pictures,
    figure.axes ?? plainAxes,
    figure.input,
    chosenHeads(figure),
    scaleOf(figure),
  );
  const title = describedText(figure.title);
  const header = element(
    'header',
    {},
    element('h1', {}, text(title)),
    element('p', { class: 'muted' }, text(describedText(figure.input, 400))),
  );
  const sections = panels.map(({ html }) => html.replaceAll('<h4>', '<h2>').replaceAll('</h4>', '</h2>'));
  const views = headViews(figure).map(renderHeadView);
  const lines =
    views.length === 0 ? '' : element('section', {}, element('h2', {}, 'Head view'), ...views.map(({ html }) => html));
  return renderPage(`${title} · Keyhole`, [header, ...sections, lines].join('\n'), {
    headViews: views.map(({ data }) => data),
    panels: panels.map(({ data }) => data),
    charts: [],
  });
}

/** What is shown large of each stack, in order: its chosen or most selective head. Errors: ShapeError, UsageError. */
export function largePictures(
  pictures: readonly AttentionPicture[],
): (GroupEntry & Pick<PictureGroup, 'stack' | 'maximum'>)[] {
  return groupPictures(pictures).map((group) => {
    const entry = group.entries[firstChoice(group)] as GroupEntry;
    return { ...entry, stack: group.stack, maximum: group.maximum };
  });
}

/** Every layer of each stack, its heads as lines; the one that is shown large is seen first. Differences have none. */
function headViews({ pictures, difference, split, chosen }: AttentionFigure): HeadView[] {
  if (difference) return [];
  return groupPictures(pictures).flatMap((group) => {
    const shown = group.entries[firstChoice(group, chosen ? [chosen] : [])]?.head?.path;
    const all = group.entries.flatMap(({ head }) => head ?? []);
    const paths = [...new Set(all.map(({ path }) => path))];
    const parted = split !== undefined && split < group.columns.length && group.kind === 'self';
    return paths.map((path) => ({
      heads: all.filter((head) => head.path === path),
      ...{ paths, hidden: path !== shown },
      ...(parted && { split }),
    }));
  });
}

/** One group as a drawing: name, large map, small multiples beside it. */
function drawGroup(group: PictureGroup, figure: AttentionFigure): Drawing {
  const entry = group.entries[firstChoice(group, chosenHeads(figure))] as GroupEntry;
  const map = drawHeatMap(entry.picture, {
    ...axisTitles(group, figure.axes ?? plainAxes),
    maximum: group.maximum,
    scale: group.scale,
  });
  const several = group.entries.length > 1;
  const grid = several ? drawSmallMultiples(group) : { width: 0, height: 0, body: '' };
  const gridX = map.width + 40;
  return {
    width: Math.max(several ? gridX + grid.width : map.width, 380),
    height: 34 + Math.max(map.height, grid.height),
    body: [
      label(group.stack, { class: 'heading', x: 0, y: 12 }),
      label(entry.label, { class: 'muted', x: group.stack.length * 8 + 14, y: 12 }),
      moved(0, 34, map.body),
      moved(gridX, 34, grid.body),
    ].join(''),
  };
}

/** Drawings below each other with a title above all. */
function stackDrawings(title: string, drawings: readonly Drawing[]): Drawing {
  const margin = 24;
  let y = margin + 34;
  const parts = drawings.map((drawing) => {
    const part = moved(margin, y, drawing.body);
    y += drawing.height + 36;
    return part;
  });
  const width = drawings.reduce((most, drawing) => Math.max(most, drawing.width), 9 * title.length);
  const heading = label(title, { class: 'heading', x: margin, y: margin + 10, style: 'font-size:17px' });
  return { width: width + 2 * margin, height: y - 36 + margin, body: heading + parts.join('') };
}

/** A complete SVG file. Errors: UsageError without pictures or too large, ShapeError. */
export function renderAttentionSvg(figure: AttentionFigure, options: { readonly theme?: Theme } = {}): string {
  requirePictures('renderAttentionSvg', figure);
  const groups = groupPictures(figure.pictures, scaleOf(figure));
  const title = describedText(figure.title, 60);
  const drawing = stackDrawings(
    title,
    groups.map((group) => drawGroup(group, figure)),
  );
  const description = groups.map((group) => {
    const entry = group.entries[firstChoice(group, chosenHeads(figure))] as GroupEntry;
    return `${group.stack}, ${entry.label}. ${describeWeights(entry.picture)}`;
  });
  return svgDocument(drawing, { title, description: description.join(' '), ...options });
}

/**
 * The pictures as JSON, unrounded, tokens as they are; masked weights are null.
 * Shape: `{ title, input, pictures: [{ path, kind, head, rows, columns, weights }] }`.
 */
export function renderAttentionJson({ title, input, pictures }: AttentionFigure): string {
  return `${JSON.stringify({ title, input, pictures })}\n`;
}
