#!/usr/bin/env node
/** The command `keyhole`: starts the program and hands its exit code to the process. Next: program.ts. */

import { runProgram } from './program.js';

runProgram(process.argv.slice(2)).then((code) => {
  process.exitCode = code;
});
