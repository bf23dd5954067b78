/**
 * Texts whose tokens are highlighted by a score: attention received, rollout, relevance; several stand side by side on
 * scales of their own, so that their orders can be compared. Scores come from elsewhere, as plain numbers.
 */

import { ShapeError, UsageError } from '../core/errors.js';
import { colourClass, weightText } from './client/shared.js';
import { type Drawing, element, label, moved, shape, text } from './markup.js';
import { svgDocument } from './svgDocument.js';
import type { Theme } from './theme.js';
import { describedText, visibleText } from './visibleText.js';

/** One score of every token; not below 0, NaN where a token has none. */
export interface TokenScores {
  /** What is shown, such as `attention received`. */
  readonly name: string;
  readonly tokens: readonly string[];
  readonly scores: ArrayLike<number>;
}

/** Most tokens of a text; more are better summed up. */
const mostTokens = 2048;
const [textWidth, lineHeight, advance, gap] = [360, 24, 7.9, 3];
/** Share of the ramp above which ink would not be read: there the paper's colour writes. */
const darkFrom = 0.5;

interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
}

/** Boxes of the tokens, line by line. */
function boxesOf(tokens: readonly string[]): Box[] {
  let [x, y] = [0, 0];
  return tokens.map((token) => {
    const width = Array.from(visibleText(token, 24)).length * advance + 8;
    if (x > 0 && x + width > textWidth) [x, y] = [0, y + lineHeight];
    const box = { x, y, width };
    x += width + gap;
    return box;
  });
}

function check({ name, tokens, scores }: TokenScores): void {
  if (tokens.length === 0 || tokens.length !== scores.length) {
    throw new ShapeError(
      `tokenView: expected scores [L] = [${tokens.length}] of at least one token in ${visibleText(name)}, got [${scores.length}]`,
    );
  }
  if (tokens.length > mostTokens) {
    throw new UsageError(
      `tokenView: expected at most ${mostTokens} tokens, got ${tokens.length}; select a part of the text`,
    );
  }
}

/** One text under its name. */
function drawOne(one: TokenScores): Drawing {
  check(one);
  const scores = Array.from(one.scores);
  const maximum = scores.reduce((most, score) => (score > most ? score : most), 1e-12);
  const boxes = boxesOf(one.tokens);
  const words = boxes.map(({ x, y, width }, index) => {
    const score = scores[index] ?? Number.NaN;
    const token = one.tokens[index] ?? '';
    const ink = score / maximum > darkFrom ? 'token over' : 'token';
    return element(
      'g',
      {},
      element('title', {}, text(`${describedText(token)}: ${weightText(score)}`)),
      shape('rect', { class: colourClass(score, maximum, 'linear'), x, y, width, height: lineHeight - 3, rx: 3 }),
      label(visibleText(token, 24), { class: ink, x: x + width / 2, y: y + 15, 'text-anchor': 'middle' }),
    );
  });
  const scale = label(`darkest or brightest: ${weightText(maximum)}`, { class: 'axis', x: 0, y: 32 });
  const name = label(visibleText(one.name, 40), { class: 'heading', x: 0, y: 13 });
  const height = 46 + (boxes.at(-1)?.y ?? 0) + lineHeight;
  return { width: textWidth, height, body: name + scale + moved(0, 46, words.join('')) };
}

/** Draws the texts side by side. Errors: ShapeError for none, or scores that do not fit; UsageError when too large. */
export function drawTokenView(views: readonly TokenScores[]): Drawing {
  if (views.length === 0) throw new ShapeError('tokenView: expected at least one text with scores, got none');
  const drawings = views.map(drawOne);
  const margin = 16;
  return {
    width: margin + views.length * (textWidth + 24),
    height: 2 * margin + Math.max(...drawings.map(({ height }) => height)),
    body: drawings.map(({ body }, index) => moved(margin + index * (textWidth + 24), margin, body)).join(''),
  };
}

/** The texts as a complete SVG file. Errors: as drawTokenView. */
export function tokenViewSvg(views: readonly TokenScores[], options: { readonly theme?: Theme } = {}): string {
  const strongest = views.map(({ name, tokens, scores }) => {
    const best = Array.from(scores).reduce((at, score, index, all) => (score > (all[at] ?? 0) ? index : at), 0);
    return `${visibleText(name, 40)} highest at ${describedText(tokens[best] ?? '', 24)}`;
  });
  return svgDocument(drawTokenView(views), {
    title: views.map(({ name }) => visibleText(name, 40)).join(', '),
    description: `${views[0]?.tokens.length ?? 0} tokens; ${strongest.join('; ')}.`,
    ...options,
  });
}
