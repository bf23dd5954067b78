/**
 * The script of a page, put together from the functions of this folder as text. What they share stands in one object,
 * `keyhole`; each kind of figure has functions of its own, the last of which starts one figure.
 */

import { chartFunctions } from './chart.js';
import type { PageData } from './data.js';
import { headViewFunctions } from './headView.js';
import { healthBoardFunctions } from './healthBoard.js';
import { headLines } from './lines.js';
import { panelFunctions } from './panel.js';
import { divergingLevels, logarithmicDecades, rampLevels, shared } from './shared.js';
import { tileFunctions } from './tiles.js';

type StartFigure = (figure: Element, data: never) => void;

/** Kinds of figures: where their data lies, the class of their element, and their functions. */
const kinds: readonly (readonly [keyof PageData, string, readonly unknown[]])[] = [
  ['panels', 'panel', panelFunctions],
  ['charts', 'chart', chartFunctions],
  ['boards', 'health-board', healthBoardFunctions],
  ['headViews', 'head-view', headViewFunctions],
  ['tileMaps', 'tile-map', tileFunctions],
];

/** Starts all figures of one kind, each with its data. */
function startFigures(name: string, className: string, start: StartFigure): void {
  const data = JSON.parse(document.getElementById('keyhole-data')?.textContent ?? '{}') as Record<string, never[]>;
  document.querySelectorAll(`.${className}`).forEach((figure, index) => {
    const own = data[name]?.[index];
    if (own !== undefined) start(figure, own);
  });
}

const tools = { ...shared, headLines };

/** One script for the kinds of figures that a page has. */
export function clientScript(data: PageData): string {
  const used = kinds.filter(([name]) => (data[name]?.length ?? 0) > 0);
  const constants = Object.entries({ rampLevels, divergingLevels, logarithmicDecades });
  return [
    '"use strict";',
    ...constants.map(([name, value]) => `const ${name} = ${value};`),
    ...Object.values(tools).map(String),
    `const keyhole = { ${Object.keys(tools).join(', ')} };`,
    String(startFigures),
    ...used.map(([name, className, functions]) => {
      const start = (functions.at(-1) as StartFigure).name;
      return `(() => {\n${functions.map(String).join('\n')}\nstartFigures('${name}', '${className}', ${start});\n})();`;
    }),
  ].join('\n');
}
