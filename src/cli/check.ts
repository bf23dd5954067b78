/**
 * `keyhole check`: the attention doctor on a run. What it looks for: ../monitor/doctor/rules.ts; where its records come
 * from: checkSources.ts; how findings are shown: findings.ts. The report on the machine is doctor.ts.
 */

import { Command, Option } from 'commander';
import type { Severity } from '../core/finding.js';
import { diagnose, isAtLeast } from '../monitor/doctor/diagnose.js';
import { hostFiles } from '../train/files.js';
import { openRun } from '../train/run.js';
import { renderFindings } from '../viz/healthPage.js';
import { againstOf, type CheckedPart, recordsOf, rolesOf, withData } from './checkSources.js';
import { pictureCommand, showFindings } from './findings.js';
import { Output } from './output.js';
import { shownPath } from './paths.js';
import { showRoles } from './roles.js';

interface CheckFlags extends CheckedPart {
  readonly against?: string;
  readonly html?: string;
  readonly roles?: boolean;
  readonly failOn: Severity;
  readonly json?: boolean;
}

export function checkCommand(): Command {
  return new Command('check')
    .description('Looks for what is wrong with the attention of a run, over training and on data.')
    .argument('<run>', 'folder of the run')
    .option(
      '--against <other>',
      'also find what moved: another run, or a checkpoint (best, last, step-N) or split of this',
    )
    .addOption(new Option('--split <name>', 'run a checkpoint over this data').choices(['train', 'validation', 'test']))
    .option('--checkpoint <name>', 'which one to run over data: best (default), last or step-N')
    .addOption(
      new Option('--fail-on <severity>', 'exit with 1 on findings this bad')
        .choices(['warning', 'error'])
        .default('error'),
    )
    .option('--roles', 'also say what every head does on data: previous, delimiter, induction, …')
    .option('--html <file>', 'also write the findings as a page')
    .option('--json', 'print one JSON object')
    .addHelpText('after', '\nExample:\n  keyhole check runs/latest --split validation --fail-on warning')
    .action(check);
}

async function check(path: string, flags: CheckFlags): Promise<void> {
  const output = new Output(flags);
  const run = openRun(path);
  const part = withData(flags, flags.against);
  const records = await recordsOf(run, part, output);
  const against = flags.against === undefined ? undefined : await againstOf(run, flags.against, part, output);
  const findings = diagnose(records, { against, pictureOf: pictureCommand(shownPath(run.folder)) });
  const roles = flags.roles ? await rolesOf(run, part, output) : undefined;
  const failed = findings.some((finding) => isAtLeast(finding, flags.failOn));
  showFindings(output, findings, records);
  if (roles) showRoles(output, roles);
  if (flags.html !== undefined)
    hostFiles.writeAtomic(flags.html, renderFindings(shownPath(run.folder), findings, records.heads));
  output.result({ run: shownPath(run.folder), failOn: flags.failOn, failed, findings, roles });
  if (failed) process.exitCode = 1;
}
