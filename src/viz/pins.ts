/** Findings as small badges: a letter a severity, so that colour is not needed. Their look: theme.ts. */

import { type Severity, severities } from '../core/finding.js';
import { element, label, moved, shape, text } from './markup.js';

/** The worst of some severities. */
export function worstOf(found: readonly Severity[]): Severity {
  return severities.filter((severity) => found.includes(severity)).at(-1) ?? 'note';
}

/** A badge with its middle at (x, y); `title` is read on hover, where there is one. */
export function pin(severity: Severity, x: number, y: number, title = ''): string {
  const room = shape('rect', { x: -6.5, y: -6.5, width: 13, height: 13, rx: severity === 'note' ? 6.5 : 3 });
  const letter = label(severity.charAt(0), { x: 0, y: 3.6, 'text-anchor': 'middle' });
  const named = title === '' ? '' : element('title', {}, text(title));
  return moved(x, y, element('g', { class: `pin ${severity}` }, named, room, letter));
}

/** What the letters mean. */
export const pinLegend = severities.map((severity) => `${severity.charAt(0)} ${severity}`).join(', ');
