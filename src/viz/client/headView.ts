/** The head view inside a page: heads, threshold, parts and tokens choose the lines. Its markup: ../headView.ts. */

import type { HeadPlace, HeadViewData } from './data.js';
import type { headLines as HeadLines } from './lines.js';
import type { ClientTools } from './shared.js';

declare const keyhole: ClientTools & { readonly headLines: typeof HeadLines };

/** What is chosen: `part` as in partNames of lines.ts, a token's side and index. */
interface HeadFilter {
  threshold: number;
  part: number;
  heads: boolean[];
  side: 'row' | 'column';
  token: number;
}

/** Whether the pair belongs to the chosen part of two texts. */
function inPart(row: number, column: number, part: number, split: number): boolean {
  return part === 0 || (row >= split ? 1 : 0) * 2 + (column >= split ? 1 : 0) === part - 1;
}

/** Draws the lines that pass the filter; returns how many. */
function drawLines(view: Element, data: HeadViewData, filter: HeadFilter): number {
  let count = 0;
  keyhole.every(view, '.lines').forEach((group, index) => {
    const lines = filter.heads[index]
      ? keyhole.headLines(keyhole.decodeFloats(data.heads[index]?.weights ?? '', 3), data.columns.length, {
          threshold: filter.threshold,
          width: data.width,
          height: data.height,
        })
      : [];
    const shown = lines.filter((line) => {
      const own = filter.token < 0 || line[filter.side] === filter.token;
      return own && inPart(line.row, line.column, filter.part, data.split ?? 0);
    });
    count += shown.length;
    group.replaceChildren(
      ...shown.map(({ d, opacity }) => {
        const path = document.createElementNS('http://www.w3.org/2000/svg', 'path');
        path.setAttribute('d', d);
        path.setAttribute('opacity', String(opacity));
        return path;
      }),
    );
  });
  return count;
}

/** What the strongest pair of a token is, over the heads that are shown. */
function strongest(data: HeadViewData, { heads, side, token }: HeadFilter): string {
  let best = { weight: -1, other: 0, head: 0 };
  data.heads.forEach(({ head, weights: stored }, index) => {
    if (!heads[index]) return;
    keyhole.decodeFloats(stored, 3).forEach((weight, at) => {
      const pair = { row: Math.floor(at / data.columns.length), column: at % data.columns.length };
      const other = side === 'row' ? pair.column : pair.row;
      if (pair[side] === token && weight > best.weight) best = { weight, other, head };
    });
  });
  if (best.weight < 0) return 'no head attends here';
  const [row, column] = side === 'row' ? [token, best.other] : [best.other, token];
  return `Head ${best.head}: ${keyhole.cellText(data.rows[row] ?? '', data.columns[column] ?? '', best.weight)}`;
}

/** Pointer and keys on the tokens of both columns. */
function chooseTokens(view: Element, choose: (side: 'row' | 'column', token: number) => void): void {
  for (const side of ['row', 'column'] as const) {
    const tokens = keyhole.every(view, `.${side}-token`);
    keyhole.moveTabStop(tokens, tokens[0]);
    keyhole.moveByKeys(tokens, 1);
    tokens.forEach((token, index) => {
      token.setAttribute('role', 'button');
      const name = side === 'row' ? 'query' : 'key';
      token.setAttribute('aria-label', `${name} ${index}: ${token.textContent}`);
      token.addEventListener('focus', () => choose(side, index));
      token.addEventListener('pointerenter', () => choose(side, index));
      token.addEventListener('pointerleave', () => choose(side, -1));
      token.addEventListener('blur', () => choose(side, -1));
    });
  }
}

/** Brings a head view to life. */
function startHeadView(view: Element, data: HeadViewData): void {
  const range = view.querySelector('[data-threshold]') as HTMLInputElement;
  const part = view.querySelector('[data-part]') as HTMLSelectElement | null;
  const filter: HeadFilter = {
    threshold: Number(range.value),
    part: 0,
    heads: data.heads.map(() => true),
    side: 'row',
    token: -1,
  };
  const show = (): void => {
    const count = drawLines(view, data, filter);
    keyhole.say(view, filter.token < 0 ? `${count} lines` : strongest(data, filter));
  };
  range.addEventListener('input', () => {
    filter.threshold = Number(range.value);
    const shown = view.querySelector('.threshold');
    if (shown) shown.textContent = range.value;
    show();
  });
  part?.addEventListener('change', () => {
    filter.part = part.selectedIndex;
    show();
  });
  keyhole.every(view, '.tools [data-head]').forEach((box, index) => {
    box.addEventListener('change', () => {
      filter.heads[index] = (box as HTMLInputElement).checked;
      show();
    });
  });
  document.addEventListener('keyhole-head', (event) => {
    const chosen = (event as CustomEvent<HeadPlace | null>).detail;
    if (!chosen || !data.paths.includes(chosen.path)) return;
    (view as HTMLElement).hidden = chosen.path !== data.path;
    keyhole.every(view, '.tools [data-head]').forEach((box, index) => {
      filter.heads[index] = data.heads[index]?.head === chosen.head;
      (box as HTMLInputElement).checked = filter.heads[index] ?? false;
    });
    show();
  });
  chooseTokens(view, (side, token) => {
    Object.assign(filter, { side, token });
    show();
  });
}

export const headViewFunctions = [inPart, drawLines, strongest, chooseTokens, startHeadView] as const;
