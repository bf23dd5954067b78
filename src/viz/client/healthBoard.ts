/** The health board inside a page: statistic, step and findings choose what its cells show. Its markup: ../healthBoard.ts. */

import type { HealthBoardData } from './data.js';
import type { ClientTools } from './shared.js';

declare const keyhole: ClientTools;

/** What a board shows now. */
interface BoardState {
  statistic: number;
  step: number;
}

/** The sentence about one cell: place, step, value and what was found there. */
function cellSentence(
  data: HealthBoardData,
  values: Float32Array,
  { statistic, step }: BoardState,
  cell: number,
): string {
  const [row, column] = [Math.floor(cell / data.columns), cell % data.columns];
  const whole = column === data.heads.length;
  const place = `${data.rows[row]}, ${whole ? 'as a whole' : `head ${data.heads[column]}`}, step ${data.steps[step]}`;
  const value = values[(step * data.rows.length + row) * data.heads.length + column] ?? Number.NaN;
  const number = whole ? '' : `${data.statistics[statistic]?.name} ${keyhole.boardValue(value)}`;
  const here = data.findings.filter((one) => one.step === step && one.row === row && one.column === column);
  const parts = [number, ...here.map(({ text }) => text)].filter((part) => part !== '');
  return `${place}: ${parts.join('; ') || 'no finding'}`;
}

/** Shows a statistic at a step. */
function paintBoard(board: Element, data: HealthBoardData, state: BoardState): void {
  const shown = data.statistics[state.statistic];
  if (!shown) return;
  const values = keyhole.decodeFloats(shown.values, 3);
  const numbers = keyhole.every(board, '.values text');
  keyhole.every(board, '.board-cell').forEach((cell, index) => {
    cell.setAttribute('aria-label', cellSentence(data, values, state, index));
    const [row, column] = [Math.floor(index / data.columns), index % data.columns];
    const number = numbers[index];
    if (!number || column === data.heads.length) return;
    const value = values[(state.step * data.rows.length + row) * data.heads.length + column] ?? Number.NaN;
    const colour = keyhole.boardClass(value, shown.low, shown.high);
    cell.setAttribute('class', `board-cell ${colour}`);
    number.setAttribute('class', colour.endsWith(' over') ? 'value over' : 'value');
    number.textContent = keyhole.boardValue(value);
  });
  for (const pin of keyhole.every(board, '.pins [data-step]'))
    pin.setAttribute('class', pin.getAttribute('data-step') === String(state.step) ? '' : 'away');
  for (const [name, end] of [
    ['.low', shown.low],
    ['.high', shown.high],
    ['.step', data.steps[state.step] ?? 0],
  ] as const) {
    const place = board.querySelector(name);
    if (place) place.textContent = keyhole.boardValue(end);
  }
}

/** Brings a board to life. */
function startBoard(board: Element, data: HealthBoardData): void {
  const range = board.querySelector('[data-steps]') as HTMLInputElement;
  const select = board.querySelector('[data-statistic]') as HTMLSelectElement;
  const cells = keyhole.every(board, '.board-cell');
  const show = (): void => {
    range.setAttribute('aria-valuetext', `step ${data.steps[Number(range.value)]}`);
    paintBoard(board, data, { statistic: select.selectedIndex, step: Number(range.value) });
  };
  const read = (event: Event): void => {
    const sentence = (event.target as Element).getAttribute('aria-label');
    if (cells.includes(event.target as Element) && sentence) keyhole.say(board, sentence);
  };
  const svg = board.querySelector('svg');
  svg?.addEventListener('pointerover', read);
  svg?.addEventListener('focusin', read);
  range.addEventListener('input', show);
  select.addEventListener('change', show);
  keyhole.moveTabStop(cells, cells[0]);
  keyhole.moveByKeys(cells, data.columns);
  for (const button of keyhole.every(board, '[data-finding]'))
    button.addEventListener('click', () => {
      const found = data.findings[Number(button.getAttribute('data-finding'))];
      if (!found) return;
      range.value = String(found.step);
      if (found.statistic >= 0) select.selectedIndex = found.statistic;
      show();
      const cell = cells[found.row * data.columns + found.column] as SVGElement | undefined;
      keyhole.moveTabStop(cells, cell);
      cell?.focus();
    });
  show();
}

export const healthBoardFunctions = [cellSentence, paintBoard, startBoard] as const;
