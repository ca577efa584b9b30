/** The app in a browser: what a person does there, and what can be seen from outside. */

import { logIn } from './authorization-server.js';

/**
 * @typedef {object} Exchange a request to the gate or to the token endpoint
 * @property {string} method
 * @property {string} path
 * @property {number} status
 */

/** @typedef {{ access_token: string, refresh_token: string, id_token: string, scope: string, expires_in: number }} Tokens */

export class AppPage {
  /** @type {Exchange[]} */
  exchanges = [];

  /** @type {Tokens[]} */
  #tokens = [];
  /** @type {Promise<void>[]} */
  #looks = [];
  /** @type {Promise<void>[]} */
  #tokenLooks = [];
  /** @type {string[]} */
  #faults = [];

  /**
   * @param {import('playwright-core').Page} page
   * @param {import('./example.js').Facts} facts
   * @param {import('./secrets.js').Secrets} secrets
   */
  constructor(page, facts, secrets) {
    this.page = page;
    this.facts = facts;
    this.secrets = secrets;
    page.on('pageerror', (error) => this.#faults.push(`an error that nobody caught: ${error.message}`));
    page.on('console', (message) => {
      if (/content security policy|trusted ?type/i.test(message.text())) {
        this.#faults.push(`what the page's own policy forbids: ${message.text()}`);
      }
    });
    page.on('framenavigated', (frame) => {
      if (URL.canParse(frame.url())) secrets.add('a code', new URL(frame.url()).searchParams.get('code'));
    });
    page.on('response', (response) => {
      const look = this.#look(response);
      this.#looks.push(look);
      if (response.url() === `${facts.issuer}oauth/token`) this.#tokenLooks.push(look);
    });
  }

  /** @param {import('playwright-core').Response} response */
  async #look(response) {
    const { gate, two_origins: second, issuer } = this.facts;
    const url = new URL(response.url());
    const ofGate = url.origin === gate || url.origin === second;
    const ofTokens = url.href === `${issuer}oauth/token`;
    if (!ofGate && !ofTokens) return;
    const method = response.request().method();
    this.exchanges.push({ method, path: url.pathname, status: response.status() });
    try {
      if (ofTokens && response.ok()) {
        const tokens = await response.json();
        this.secrets.addTokens(tokens);
        this.#tokens.push(tokens);
      } else if (ofGate && response.status() >= 400) {
        const headers = await response.allHeaders();
        const told = this.secrets.in(`${JSON.stringify(headers)}${await response.text()}`);
        this.#faults.push(...told.map((name) => `${name} in the ${response.status()} to ${method} ${url.pathname}`));
      }
    } catch (error) {
      // The page was left before its answer was read.
      if (!this.page.isClosed() && ofTokens) this.#faults.push(`an answer that could not be read: ${error}`);
    }
  }

  /** What was wrong by the way, whatever was tested. */
  async faults() {
    await Promise.all(this.#looks);
    return this.#faults;
  }

  /** The latest answer of the token endpoint: what the app has in its memory. */
  async tokens() {
    await Promise.all(this.#tokenLooks);
    const tokens = this.#tokens.at(-1);
    if (tokens === undefined) throw new Error('the app was given no tokens');
    return tokens;
  }

  /** @param {string} id */
  part(id) {
    return this.page.getByTestId(id);
  }

  /** @param {string} [path] */
  async visit(path = '/') {
    await this.page.goto(`${this.facts.gate}${path}`);
  }

  /** From the sign-in screen to the login page. */
  async leaveForLogin() {
    await this.part('sign-in').click();
    await this.page.waitForURL((url) => url.href.startsWith(`${this.facts.issuer}u/login/`));
  }

  /**
   * From an empty page to the user's timesheet.
   *
   * @param {string} name
   * @param {string} [path]
   */
  async signIn(name, path) {
    await this.visit(path);
    await this.leaveForLogin();
    await logIn(this.page, name);
    await this.timesheet();
  }

  /** Signs in where the authorization server knows the person already. */
  async signInAgain() {
    await this.part('sign-in').click();
    await this.timesheet();
  }

  /** Waits for the list. */
  async timesheet() {
    await this.part('total').filter({ hasText: / h$/ }).waitFor();
  }

  /** @param {string} text or a part of it */
  async message(text) {
    await this.part('message').filter({ hasText: text }).waitFor();
  }

  /** @param {string} project */
  entry(project) {
    return this.part('entry').filter({ hasText: project });
  }

  /**
   * Types an entry, and does not send it.
   *
   * @param {{ date?: string, project: string, hours: string }} entry
   */
  async type({ date, project, hours }) {
    if (date !== undefined) await this.part('add-date').fill(date);
    await this.part('add-project').fill(project);
    await this.part('add-hours').fill(hours);
  }

  /** What stands in the form. */
  async typed() {
    const value = (/** @type {string} */ id) => this.part(id).inputValue();
    return { date: await value('add-date'), project: await value('add-project'), hours: await value('add-hours') };
  }

  /** @param {{ date?: string, project: string, hours: string }} entry */
  async add(entry) {
    await this.type(entry);
    await this.part('add-submit').click();
    await this.message(`Added ${entry.hours} h for ${entry.project} `);
    await this.entry(entry.project).waitFor();
  }

  /** @param {string} project */
  async remove(project) {
    await this.entry(project).getByTestId('entry-remove').click();
    await this.part('remove-confirm').click();
    await this.entry(project).waitFor({ state: 'detached' });
  }

  /** Presses Tab until that has the focus: no mouse. @param {string} selector */
  async tabTo(selector) {
    for (let steps = 0; steps < 40; steps += 1) {
      if (await this.page.evaluate((wanted) => document.activeElement?.matches(wanted) ?? false, selector)) return;
      await this.page.keyboard.press('Tab');
    }
    throw new Error(`Tab does not lead to ${selector}`);
  }

  /**
   * Sends a request from within the page, as a script in it could.
   *
   * @param {string} url
   * @param {{ method?: string, token: string, json?: unknown }} options
   */
  async fetch(url, { method = 'GET', token, json }) {
    return this.page.evaluate(
      async ([url, method, token, json]) => {
        const response = await fetch(String(url), {
          method: String(method),
          headers: { authorization: `Bearer ${token}`, ...(json === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(json === undefined ? {} : { body: JSON.stringify(json) }),
        });
        const body = await response.text();
        return { status: response.status, challenge: response.headers.get('www-authenticate') ?? '', body: body && JSON.parse(body) };
      },
      [url, method, token, json],
    );
  }

  /** All that scripts can store: names and values. */
  async stored() {
    return this.page.evaluate(() => JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie]));
  }

  /** How far the page is wider than the window. */
  async overflow() {
    return this.page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  }
}
