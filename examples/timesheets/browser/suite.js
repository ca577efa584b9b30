/** What each test file has: an example of its own, a browser, and checks that hold whatever is tested. */

import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { after, afterEach, before } from 'node:test';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

import { AppPage } from './app-page.js';
import { AuthorizationServer } from './authorization-server.js';
import { findChromium } from './chromium.js';
import { Example } from './example.js';
import { Gate } from './gate.js';
import { Secrets } from './secrets.js';

/** Of one test. The slowest waits for a token to expire, and does a dozen things. */
export const TEST_TIMEOUT = { timeout: 60_000 };

/** Of one step in the browser. */
const STEP_MS = 20_000;

const SCREENSHOTS =
  process.env['EXAMPLE_SCREENSHOTS'] ?? fileURLToPath(new URL('../../../target/example/screenshots', import.meta.url));

/** The most that is printed of a log when a test failed. */
const LOG_LINES = 60;

/**
 * Starts everything before the first test of a file, and ends it after the last one.
 *
 * @param {{ accessTokenSeconds?: number }} [options]
 */
export function suite({ accessTokenSeconds = 300 } = {}) {
  endWithParent();
  const run = new Suite();
  before(() => run.start(accessTokenSeconds), { timeout: 120_000 });
  afterEach((t) => run.endTest(/** @type {any} */ (t)), { timeout: 30_000 });
  after(() => run.end(), { timeout: 60_000 });
  return run;
}

export class Suite {
  secrets = new Secrets();

  /** @type {Example | undefined} */
  #example;
  /** @type {import('playwright-core').Browser | undefined} */
  #browser;
  /** @type {AppPage[]} */
  #pages = [];

  /** @param {number} accessTokenSeconds */
  async start(accessTokenSeconds) {
    const { executable, environment } = await findChromium();
    this.#example = await Example.start({ accessTokenSeconds });
    this.secrets.addTokens({ ...this.facts.batch });
    this.#browser = await chromium.launch({
      executablePath: executable,
      env: /** @type {any} */ ({ ...process.env, ...environment }),
      // Root and containers have no sandbox for it; it opens the pages of the example alone.
      args: ['--no-sandbox', '--disable-gpu'],
    });
    await mkdir(SCREENSHOTS, { recursive: true });
  }

  get facts() {
    if (this.#example === undefined) {
      throw new Error('the example is not started');
    }
    return this.#example.facts;
  }

  get gate() {
    return new Gate(this.facts.gate, this.secrets);
  }

  get server() {
    return new AuthorizationServer(this.facts.issuer, this.secrets);
  }

  /**
   * The browser of somebody: no cookie, nothing stored.
   *
   * @param {import('playwright-core').BrowserContextOptions} [options]
   */
  async browser(options) {
    assert.ok(this.#browser);
    const context = await this.#browser.newContext({ locale: 'en-US', viewport: { width: 1100, height: 800 }, ...options });
    context.setDefaultTimeout(STEP_MS);
    const page = new AppPage(await context.newPage(), this.facts, this.secrets);
    this.#pages.push(page);
    return page;
  }

  /**
   * Leaves a picture of a screen.
   *
   * @param {AppPage} app
   * @param {string} name
   */
  async picture(app, name) {
    await app.page.screenshot({ path: path.join(SCREENSHOTS, `${name}.png`), animations: 'disabled' });
  }

  /** @param {{ name: string, passed?: boolean, error?: unknown }} t */
  async endTest(t) {
    const pages = this.#pages.splice(0);
    const failed = t.passed === false || Boolean(t.error);
    if (failed) {
      await this.#explain(t.name, pages);
    }
    const faults = [];
    for (const page of pages) {
      faults.push(...(await page.faults()));
      await page.page.context().close();
    }
    assert.deepEqual(faults, [], 'faults that the browser noticed by the way');
  }

  async end() {
    await this.#browser?.close();
    if (this.#example === undefined) {
      return;
    }
    const logs = await this.#example.logs();
    await this.#example.stop();
    const told = [...logs].flatMap(([file, text]) => this.secrets.in(text).map((name) => `${name} in ${path.basename(file)}`));
    assert.deepEqual(told, [], 'secrets in logs');
    assert.ok(logs.size > 2, `logs were looked at, not only ${[...logs.keys()]}`);
  }

  /**
   * @param {string} name
   * @param {AppPage[]} pages
   */
  async #explain(name, pages) {
    for (const [index, page] of pages.entries()) {
      const file = path.join(SCREENSHOTS, 'failed', `${name.replace(/[^\w-]+/g, '-').slice(0, 80)}-${index}.png`);
      await page.page.screenshot({ path: file, timeout: 5000 }).catch(() => undefined);
      // The query may hold a code.
      const at = page.page.url().replace(/\?.*/, '?…');
      const exchanges = page.exchanges.map(({ status, method, path: where }) => `  ${status} ${method} ${where}`);
      console.error([`--- ${at}, shown in ${file}`, ...exchanges].join('\n'));
    }
    for (const [file, text] of (await this.#example?.logs()) ?? []) {
      console.error(`--- ${file}\n${text.trimEnd().split('\n').slice(-LOG_LINES).join('\n')}`);
    }
  }
}

/** A test runner that is killed takes nobody along; whoever is left without it ends, and the example and the browser with it. */
function endWithParent() {
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) {
      process.exit(1);
    }
  }, 500).unref();
}
