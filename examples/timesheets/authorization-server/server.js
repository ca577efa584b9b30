#!/usr/bin/env node
/** The program. */

import { Accounts } from './accounts.js';
import { startAuthorizationServer } from './authorization-server.js';
import { journalTo } from './journal.js';
import { HELP, InvalidOption, readOptions } from './options.js';

try {
  const options = readOptions(process.argv.slice(2));
  if (options === null) {
    process.stdout.write(HELP);
  } else {
    await serve(options);
  }
} catch (error) {
  if (error instanceof InvalidOption) {
    fail(2, `${error.message}\nnode server.js --help lists the options.`);
  } else if (error instanceof Error && 'code' in error && error.code === 'EADDRINUSE') {
    fail(1, 'The port is taken: end what listens there, or choose another with --port.');
  } else {
    fail(1, `The authorization server cannot start: ${error instanceof Error ? error.message : error}`);
  }
}

/** @param {import('./options.js').Options} options */
async function serve(options) {
  const server = await startAuthorizationServer(options, await Accounts.open(), journalTo(process.stderr));
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => server.close());
  }
  const { client_id, client_secret } = server.batch ?? {};
  process.stdout.write(`${JSON.stringify({ issuer: server.issuer, clients: { batch: { client_id, client_secret } } })}\n`);
}

/**
 * @param {number} status
 * @param {string} sentence
 */
function fail(status, sentence) {
  process.stderr.write(`${sentence}\n`);
  process.exitCode = status;
}
