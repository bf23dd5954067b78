/** What every head does, shown to people, one head a row. Where it comes from: checkSources.ts. */

import type { HeadRoleRecord } from '../monitor/doctor/roles.js';
import { visibleText } from '../viz/visibleText.js';
import type { Output } from './output.js';

export function showRoles(output: Output, roles: readonly HeadRoleRecord[]): void {
  output.line();
  output.table(
    roles.map(({ path, head, role, figures }) => [visibleText(path), `head ${head}`, role, reason(role, figures)]),
  );
}

/** The figure that decides: `broad` and `none` go by the entropy. */
function reason(role: HeadRoleRecord['role'], figures: HeadRoleRecord['figures']): string {
  if (role === 'broad' || role === 'none') return `${figures.entropyRatio.toFixed(2)} of the largest entropy`;
  return `${figures[role]?.toFixed(2)} of the mass`;
}
