#!/usr/bin/env node
/** The command `keyhole`: starts the program and hands its exit code to the process. Next: program.ts. */

import { runProgram } from './program.js';

// `keyhole … | head` closes the pipe before everything is written; whoever reads has what they wanted.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});

runProgram(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
