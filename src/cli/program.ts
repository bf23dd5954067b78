/**
 * All commands under one name, and what becomes of errors: exit code 2 for wrong use, 1 for failure, 0 otherwise.
 * Each command is one file; this one knows only their names. Next: train.ts.
 */

import { Command, CommanderError } from 'commander';
import { benchCommand } from './bench.js';
import { checkCommand } from './check.js';
import { compareCommand } from './compare.js';
import { doctorCommand } from './doctor.js';
import { exitCodeOf, messageOf } from './errors.js';
import { estimateCommand } from './estimate.js';
import { evalCommand } from './eval.js';
import { inspectCommand } from './inspect.js';
import { pruneCommand } from './prune.js';
import { runCommand } from './run.js';
import { runsCommand } from './runs.js';
import { trainCommand } from './train.js';
import { packageVersion } from './version.js';

/** Runs one command line and returns the exit code. Never throws, never ends the process. */
export async function runProgram(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return Number(process.exitCode ?? 0);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2; // help and version, or a complaint already printed
    process.stderr.write(`${messageOf(error)}\n`);
    return exitCodeOf(error);
  }
}

function createProgram(): Command {
  const program = new Command('keyhole')
    .description('Trains, runs and looks into models built on attention.')
    .version(packageVersion())
    .configureHelp({ sortSubcommands: false })
    .addHelpText('after', '\nExample:\n  keyhole train g2p --preset quick\n  keyhole run runs/latest --text keyhole')
    .enablePositionalOptions() // so that --json behind `runs compare` is its own
    .exitOverride();
  const commands = [
    trainCommand(),
    compareCommand(),
    evalCommand(),
    runCommand(),
    inspectCommand(),
    checkCommand(),
    pruneCommand(),
    runsCommand(),
    benchCommand(),
    estimateCommand(),
    doctorCommand(),
  ];
  for (const command of commands) {
    program.addCommand(command.copyInheritedSettings(program));
    for (const part of command.commands) part.copyInheritedSettings(command);
  }
  return program;
}
