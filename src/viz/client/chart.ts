/** A chart inside a page: values at the pointer, or by arrow keys. Its markup: ../chartFigure.ts; see also script.ts. */

import type { ChartData } from './data.js';
import type { ClientTools } from './shared.js';

declare const keyhole: ClientTools;

/** A row of a chart's table in one line: `step 400: train 1.23, validation 1.41`. */
function rowText(figure: Element, index: number): string {
  const names = keyhole.every(figure, 'thead th').map((name) => name.textContent);
  const row = keyhole.every(figure, 'tbody tr')[index];
  const values = row ? Array.from(row.children).map((value) => value.textContent) : [];
  const known = values.map((value, i) => (i > 0 && value !== '' ? `${names[i]} ${value}`.trim() : ''));
  return `${names[0]} ${values[0]}: ${known.filter((part) => part !== '').join(', ')}`;
}

/** Mouse and arrow keys along a chart; the nearest step's values appear in the line below. */
function startChart(figure: Element, { positions }: ChartData): void {
  const svg = figure.querySelector('svg');
  const marker = figure.querySelector('.marker');
  const output = figure.querySelector('output');
  if (!svg || !marker || !output || positions.length === 0) return;
  let current = positions.length - 1;
  const show = (index: number): void => {
    current = Math.max(0, Math.min(positions.length - 1, index));
    marker.setAttribute('transform', `translate(${positions[current]} 0)`);
    marker.setAttribute('class', 'marker on');
    output.textContent = rowText(figure, current);
  };
  const nearest = (x: number): number =>
    positions.reduce((best, p, i) => (Math.abs(p - x) < Math.abs((positions[best] ?? 0) - x) ? i : best), 0);
  svg.addEventListener('pointermove', (event) => {
    const box = svg.getBoundingClientRect();
    show(nearest(((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width));
  });
  const steps: Record<string, () => number> = {
    ArrowLeft: () => current - 1,
    ArrowRight: () => current + 1,
    Home: () => 0,
    End: () => positions.length - 1,
  };
  const plot = figure.querySelector('.plot');
  plot?.addEventListener('focus', () => show(current));
  plot?.addEventListener('keydown', (event) => {
    const step = steps[(event as KeyboardEvent).key];
    if (!step) return;
    event.preventDefault();
    show(step());
  });
}

export const chartFunctions = [rowText, startChart] as const;
