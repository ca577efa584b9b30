/**
 * Keeps the example while the tests run, and ends it with them.
 *
 *     node guard.js FOLDER PROGRAM [ARGUMENTS]
 *
 * A test run that is killed cannot tidy up. This process sees its standard input close then, ends the program and removes the folder.
 */

import { spawn } from 'node:child_process';
import { rmSync } from 'node:fs';

/** Envoy, Spin and Node end within a second or two; a busy machine takes longer. */
const PATIENCE_MS = 20_000;

const [folder = '', program, ...args] = process.argv.slice(2);
if (program === undefined) {
  throw new Error('usage: node guard.js FOLDER PROGRAM [ARGUMENTS]');
}

const child = spawn(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
child.on('error', (error) => {
  console.error(`${program} does not start: ${error.message}`);
  leave(1);
});
child.on('exit', (code, signal) => leave(code ?? (signal === 'SIGTERM' ? 0 : 1)));

process.stdin.on('end', end).on('error', end).resume();
process.on('SIGINT', end).on('SIGTERM', end).on('SIGHUP', end);

function end() {
  child.kill('SIGTERM');
  setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS).unref();
}

/** @param {number} code */
function leave(code) {
  rmSync(folder, { recursive: true, force: true });
  process.exit(code);
}
