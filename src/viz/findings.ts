/** Findings of the attention doctor in words and as a list. What they mean: ../monitor/doctor/rules.ts. */

import { type Finding, placeText } from '../core/finding.js';
import { element, text } from './markup.js';
import { groupBy } from './pictureGroup.js';
import { pin } from './pins.js';
import { visibleText } from './visibleText.js';

/** A finding in one line: `error entropy-collapse: 0.012, threshold 0.02`. */
export function findingText({ severity, rule, measured, threshold }: Finding): string {
  return `${severity} ${rule}: ${measured.toPrecision(4)}, threshold ${threshold}`;
}

/**
 * Findings of one rule and severity under one heading, with its cause and remedy; nothing for none. `places` are the indices
 * under which a board finds them, -1 for findings that have no cell: the others are buttons that lead there.
 */
export function findingsList(findings: readonly Finding[], places: readonly number[]): string {
  const groups = groupBy(
    findings.map((finding, index) => ({ finding, place: places[index] ?? -1 })),
    ({ finding: { severity, rule, threshold } }) => `${severity} ${rule} ${threshold}`,
  );
  return groups.map((group) => groupOf(group)).join('');
}

interface Listed {
  readonly finding: Finding;
  readonly place: number;
}

/** Plain text as safe markup, cut where it is far too long. */
function shown(content: string): string {
  return text(visibleText(content, 300));
}

function groupOf(group: readonly Listed[]): string {
  const { severity, rule, threshold, origin, source, cause, remedy, picture } = (group[0] as Listed).finding;
  const badge = element(
    'svg',
    { class: 'badge', width: 16, height: 16, viewBox: '-8 -8 16 16', 'aria-hidden': 'true' },
    pin(severity, 0, 0),
  );
  const limit = element(
    'span',
    { class: 'muted' },
    shown(`threshold ${threshold}, ${source === origin ? origin : `${origin} (${source})`}`),
  );
  const draw =
    picture === undefined
      ? ''
      : element('p', { class: 'muted' }, 'Picture of the first: ', element('code', {}, shown(picture)));
  return element(
    'div',
    { class: 'finding' },
    element('p', {}, badge, element('strong', {}, shown(`${severity} ${rule}`)), ' ', limit),
    element('ul', {}, ...group.map(itemOf)),
    element('p', {}, shown(`Likely cause: ${cause}. Remedy: ${remedy}.`)),
    draw,
  );
}

function itemOf({ finding, place }: Listed): string {
  const { step, measured, evidence } = finding;
  const where = shown(`${placeText(finding)}, step ${step}: ${measured.toPrecision(4)}`);
  const name = place < 0 ? where : element('button', { type: 'button', 'data-finding': place }, where);
  return element('li', {}, name, ' ', element('span', { class: 'muted' }, shown(evidence)));
}
