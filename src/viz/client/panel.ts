/**
 * A panel inside a page: reading cells by mouse and by keyboard, choosing a head, a linear or logarithmic scale, zoom.
 * Its markup: ../panel.ts. How this file gets into a page: script.ts.
 */

import type { PanelData } from './data.js';
import type { ClientTools, Scale } from './shared.js';

declare const keyhole: ClientTools;

/** What a panel shows now. */
interface PanelState {
  choice: number;
  scale: Scale;
}

/** Hover, focus and arrow keys on the cells of a large heat map; its values appear in the line below. */
function readCells(panel: Element, width: number): void {
  const cells = keyhole.every(panel, '.cell');
  const rows = keyhole.every(panel, '.map .row-token');
  const columns = keyhole.every(panel, '.map .column-token');
  const show = (event: Event): void => {
    const index = cells.indexOf(event.target as Element);
    if (index < 0) return;
    for (const token of keyhole.every(panel, '.map .current')) token.classList.remove('current');
    rows[Math.floor(index / width)]?.classList.add('current');
    columns[index % width]?.classList.add('current');
    keyhole.say(panel, cells[index]?.getAttribute('aria-label') ?? '');
  };
  const map = panel.querySelector('.map svg');
  map?.addEventListener('pointerover', show);
  map?.addEventListener('focusin', show);
  keyhole.moveTabStop(cells, cells[0]);
  keyhole.moveByKeys(cells, width);
}

/** Repaints the large heat map and its table. */
function paint(panel: Element, data: PanelData, { choice, scale }: PanelState): void {
  const { rows, columns, maximum, pictures } = data;
  const weights = keyhole.decodeFloats(pictures[choice]?.weights ?? '', 3);
  const cells = keyhole.every(panel, '.cell');
  const entries = keyhole.every(panel, 'td');
  weights.forEach((weight, index) => {
    const row = rows[Math.floor(index / columns.length)] ?? '';
    const column = columns[index % columns.length] ?? '';
    cells[index]?.setAttribute('class', `cell ${keyhole.colourClass(weight, maximum, scale)}`);
    cells[index]?.setAttribute('aria-label', keyhole.cellText(row, column, weight, scale));
    const entry = entries[index];
    if (entry) entry.textContent = keyhole.weightText(weight, scale);
  });
}

/** Click, Enter, space and arrow keys on the small multiples choose the head that is shown large. */
function chooseHeads(panel: Element, choose: (index: number) => void): void {
  const small = keyhole.every(panel, '[role=radio]');
  const columns = Number(panel.querySelector('[role=radiogroup]')?.getAttribute('data-columns') ?? 1);
  const take = (index: number): void => {
    small.forEach((item, i) => {
      item.setAttribute('aria-checked', String(i === index));
    });
    keyhole.moveTabStop(small, small[index]);
    choose(index);
  };
  keyhole.moveTabStop(
    small,
    small.find((item) => item.hasAttribute('tabindex')),
  );
  small.forEach((item, index) => {
    item.addEventListener('click', () => take(index));
  });
  keyhole.moveByKeys(small, columns, take);
}

/** Buttons, the keys + - 0 and the wheel with Ctrl make the map larger and smaller inside its frame. */
function zoomMap(panel: Element): void {
  const map = panel.querySelector('.map svg') as SVGSVGElement | null;
  if (!map) return;
  let zoom = 1;
  const by = (factor: number): void => {
    zoom = factor === 0 ? 1 : Math.max(0.25, Math.min(8, zoom * factor));
    map.style.width = `${map.viewBox.baseVal.width * zoom}px`;
    map.style.height = `${map.viewBox.baseVal.height * zoom}px`;
    keyhole.say(panel, `${Math.round(100 * zoom)} % of its size`);
  };
  const factors: Record<string, number> = { '+': 1.5, '=': 1.5, '-': 1 / 1.5, '0': 0 };
  const press = (event: Event, key: string): void => {
    const factor = factors[key];
    if (factor === undefined) return;
    event.preventDefault();
    by(factor);
  };
  for (const button of keyhole.every(panel, '[data-zoom]'))
    button.addEventListener('click', (event) => press(event, button.getAttribute('data-zoom') ?? ''));
  map.addEventListener('keydown', (event) => {
    if (!event.ctrlKey && !event.metaKey) press(event, event.key);
  });
  map.addEventListener('wheel', (event) => {
    if (event.ctrlKey) press(event, event.deltaY < 0 ? '+' : '-');
  });
}

/** Brings a panel to life; `choice` is the picture that the page was rendered with. */
function startPanel(panel: Element, data: PanelData): void {
  const state: PanelState = { choice: data.choice, scale: data.scale };
  const repaint = (): void => paint(panel, data, state);
  readCells(panel, data.columns.length);
  zoomMap(panel);
  chooseHeads(panel, (choice) => {
    const label = data.pictures[choice]?.label ?? '';
    const caption = panel.querySelector('.chosen');
    if (caption) caption.textContent = label;
    keyhole.say(panel, label);
    state.choice = choice;
    document.dispatchEvent(new CustomEvent('keyhole-head', { detail: data.pictures[choice]?.head }));
    repaint();
  });
  const box = panel.querySelector('[data-scale]') as HTMLInputElement | null;
  box?.addEventListener('change', () => {
    state.scale = box.checked ? 'logarithmic' : 'linear';
    panel.setAttribute('data-shown', state.scale);
    repaint();
  });
}

export const panelFunctions = [readCells, paint, chooseHeads, zoomMap, startPanel] as const;
