/** Says whether the tests can run on this machine. Exit status: 0 if so, 77 if there can be no browser here, 1 if something is broken. */

import { findChromium, Unavailable } from './chromium.js';

const SKIPPED = 77;

try {
  const { version, executable } = await findChromium();
  console.log(`${version}: ${executable}`);
} catch (error) {
  if (!(error instanceof Unavailable)) {
    throw error;
  }
  console.error(`SKIPPED: the browser tests: ${error.message}`);
  process.exitCode = SKIPPED;
}
