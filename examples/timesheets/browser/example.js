/** The example of one test file: started on free ports with a folder of its own, and asked for its addresses and logs. */

import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** The filter is compiled, Node reads its modules; two cores may have much else to do. */
const READY_WITHIN_MS = 90_000;

const PROGRAM =
  process.env['EXAMPLE_PROGRAM'] ?? fileURLToPath(new URL('../../../target/debug/example', import.meta.url));

/** What the gate runs in. */
export const HOST = process.env['EXAMPLE_HOST'] || 'envoy';

/**
 * @typedef {object} Facts
 * @property {string} host
 * @property {string} gate its origin, which is the app's
 * @property {string | null} two_origins the gate's second origin; there is none on Spin
 * @property {string} issuer with the slash at its end
 * @property {{ client_id: string, client_secret: string }} batch the client for machines
 */

export class Example {
  /** @type {Facts} */
  facts;

  #folder;
  #guard;
  #said = '';
  #ended;

  /** @param {{ accessTokenSeconds: number }} options */
  static async start({ accessTokenSeconds }) {
    const folder = await mkdtemp(path.join(tmpdir(), 'timesheets-browser-'));
    const policy = path.join(folder, 'test-policy.yaml');
    await writeFile(policy, await quickPolicy());
    const facts = path.join(folder, 'facts.json');
    const example = new Example(folder, [
      ...['--host', HOST, '--port', '0', '--issuer-port', '0'],
      ...(HOST === 'envoy' ? ['--two-origins-port', '0'] : []),
      ...['--policy', policy, '--access-token-seconds', String(accessTokenSeconds)],
      ...['--folder', folder, '--facts', facts],
    ]);
    await example.#becomeReady(facts);
    return example;
  }

  /**
   * @param {string} folder
   * @param {string[]} args
   */
  constructor(folder, args) {
    this.#folder = folder;
    const guard = fileURLToPath(new URL('guard.js', import.meta.url));
    this.#guard = spawn(process.execPath, [guard, folder, PROGRAM, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#guard.stdin.on('error', () => undefined);
    for (const stream of [this.#guard.stdout, this.#guard.stderr]) {
      stream.setEncoding('utf8').on('data', (text) => (this.#said += text));
    }
    this.#ended = new Promise((resolve) => this.#guard.on('close', resolve));
    this.facts = /** @type {any} */ (undefined);
  }

  /** @param {string} file */
  async #becomeReady(file) {
    const deadline = Date.now() + READY_WITHIN_MS;
    for (;;) {
      const text = await readFile(file, 'utf8').catch(() => undefined);
      if (text !== undefined) {
        this.facts = JSON.parse(text);
        return;
      }
      if (this.#guard.exitCode !== null || Date.now() > deadline) {
        const how = this.#guard.exitCode === null ? `is not ready within ${READY_WITHIN_MS / 1000} s` : 'ended';
        await this.stop();
        throw new Error(`${PROGRAM} ${how}:\n${this.#said}`);
      }
      await sleep(50);
    }
  }

  /**
   * What the parts wrote down, by the name of the file.
   *
   * @returns {Promise<Map<string, string>>}
   */
  async logs() {
    const logs = new Map([['the example itself', this.#said]]);
    // The gate's own folder is named in what the program says about itself.
    const places = [this.#folder, ...[...this.#said.matchAll(/^\S+ +(\/.*)\/[^/\n]+$/gm)].map(([, place]) => String(place))];
    for (const place of new Set(places)) {
      const names = await readdir(place).catch(() => []);
      for (const name of names.filter((one) => /\.(log|out|err|txt)$/.test(one))) {
        const file = path.join(place, name);
        logs.set(file, await readFile(file, 'utf8').catch(() => ''));
      }
    }
    return logs;
  }

  async stop() {
    this.#guard.stdin.end();
    await this.#ended;
  }
}

/**
 * The shipped policy, with two numbers for the tests' sake: without leeway a token is expired when it says so, and a key that is not known
 * yet is asked for again after a second.
 */
async function quickPolicy() {
  const shipped = await readFile(new URL('../policy.yaml', import.meta.url), 'utf8');
  const issuer = '\n  local:\n';
  if (shipped.split(issuer).length !== 2) {
    throw new Error('policy.yaml has no issuer `local`, which the tests change');
  }
  return shipped.replace(issuer, `${issuer}    clock_skew: 0s\n    keys: { cooldown: 1s }\n`);
}
