/** A server on a port of its own, and a browser that knows cookies, redirections and forms. */

import { createHash } from 'node:crypto';

import { createRemoteJWKSet, jwtVerify } from 'jose';

import { Accounts } from '../accounts.js';
import { startAuthorizationServer } from '../authorization-server.js';
import { journalTo } from '../journal.js';

export const APP = 'http://127.0.0.1:8080';
export const AUDIENCE = 'https://timesheets.example.com/api';
export const VERIFIER = 'a-verifier-of-forty-three-characters-or-more';

const CHALLENGE = createHash('sha256').update(VERIFIER).digest('base64url');

/** The least that scrypt takes. What a password really costs is for test/parts.test.js and test/program.test.js. */
const accounts = await Accounts.open({ N: 2, r: 1, p: 1, maxmem: 1024 * 1024 });

/** @typedef {Record<string, string | undefined>} Parameters */

/**
 * Starts a server, which ends with the test.
 *
 * @param {import('node:test').TestContext} t
 * @param {Partial<import('../options.js').Options>} [options]
 */
export async function start(t, options) {
  let log = '';
  const journal = journalTo({ write: (text) => (log += text) });
  const usual = { port: 0, appOrigins: [APP], audience: AUDIENCE, accessTokenSeconds: 300 };
  const server = await startAuthorizationServer({ ...usual, ...options }, accounts, journal);
  t.after(server.close);
  return { ...server, log: () => log };
}

/** The parameters of an authorization request of the app. */
export const ASKED = {
  client_id: 'timesheets-spa',
  redirect_uri: `${APP}/`,
  response_type: 'code',
  code_challenge: CHALLENGE,
  code_challenge_method: 'S256',
  scope: 'openid profile email offline_access read:timesheets create:timesheets delete:timesheets',
  audience: AUDIENCE,
  state: 'a-state',
  nonce: 'a-nonce',
};

/** One person's browser. */
export class Browser {
  /** @type {Map<string, { value: string, path: string }>} */
  #cookies = new Map();

  #issuer;

  /** @param {string} issuer */
  constructor(issuer) {
    this.#issuer = issuer;
  }

  /**
   * Opens a page of the server, and follows where it leads, as far as that is the server.
   *
   * @param {string} path
   * @param {Parameters} [form] sent by POST
   * @param {Record<string, string>} [headers]
   * @returns {Promise<{ url: URL, status: number, text: string, headers: Headers }>}
   */
  open(path, form, headers) {
    return this.submit(path, form && encoded(form), headers);
  }

  /**
   * The same with a form that names a field more than once.
   *
   * @param {string} path
   * @param {URLSearchParams | undefined} form
   * @param {Record<string, string>} [headers]
   */
  async submit(path, form, headers = {}) {
    let url = new URL(path, this.#issuer);
    let body = form;
    for (let steps = 0; steps < 10; steps += 1) {
      const cookie = [...this.#cookies].filter(([, { path: on }]) => url.pathname.startsWith(on));
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { accept: 'text/html', cookie: cookie.map(([name, { value }]) => `${name}=${value}`).join('; '), ...headers },
        ...(body ? { body } : undefined),
      });
      response.headers.getSetCookie().forEach((line) => this.#keep(line));
      const text = await response.text();
      const location = response.headers.get('location');
      if (location === null) {
        return { url, status: response.status, text, headers: response.headers };
      }
      url = new URL(location, url);
      body = undefined;
      if (!url.href.startsWith(this.#issuer)) {
        return { url, status: response.status, text, headers: response.headers };
      }
    }
    throw new Error('redirected in circles');
  }

  /** @param {string} line */
  #keep(line) {
    const [pair = '', ...attributes] = line.split('; ');
    const [name = '', value = ''] = pair.split('=');
    const path = attributes.find((attribute) => attribute.startsWith('path='))?.slice(5) ?? '/';
    if (line.includes('expires=Thu, 01 Jan 1970')) {
      this.#cookies.delete(name);
    } else {
      this.#cookies.set(name, { value, path });
    }
  }
}

/**
 * @param {Parameters} [changed]
 * @returns {string}
 */
export function authorize(changed) {
  return `/authorize?${encoded({ ...ASKED, ...changed })}`;
}

/**
 * Asks, and logs in when asked to. Where the browser ends.
 *
 * @param {Browser} browser
 * @param {string} name
 * @param {Parameters} [changed]
 */
export async function logIn(browser, name, changed) {
  const page = await browser.open(authorize(changed));
  if (!page.url.pathname.startsWith('/u/login/')) {
    throw new Error(`no login page, but ${page.status} ${page.url} ${page.text}`);
  }
  return browser.open(page.url.pathname, { name, password: 'timesheets', answer: 'login' });
}

/**
 * @param {string} issuer
 * @param {string} path
 * @param {Parameters} form
 * @param {Record<string, string>} [headers]
 */
export async function post(issuer, path, form, headers = {}) {
  const response = await fetch(new URL(path, issuer), { method: 'POST', body: encoded(form), headers });
  const text = await response.text();
  const body = /** @type {Record<string, any>} */ (text.startsWith('{') ? JSON.parse(text) : {});
  return { status: response.status, body, headers: response.headers };
}

/**
 * Exchanges the code with which the server sent the browser back.
 *
 * @param {string} issuer
 * @param {{ url: URL }} end
 * @param {Parameters} [changed]
 */
export async function exchange(issuer, end, changed) {
  const code = end.url.searchParams.get('code');
  if (code === null) {
    throw new Error(`no code in ${end.url}`);
  }
  const { client_id, redirect_uri } = ASKED;
  return post(issuer, '/oauth/token', {
    grant_type: 'authorization_code', client_id, redirect_uri, code, code_verifier: VERIFIER, ...changed,
  });
}

/**
 * A new login of the app, from the first page to the tokens.
 *
 * @param {string} issuer
 * @param {string} name
 * @param {Parameters} [changed]
 * @param {Browser} [browser]
 */
export async function tokensOf(issuer, name, changed, browser = new Browser(issuer)) {
  const answer = await exchange(issuer, await logIn(browser, name, changed));
  if (answer.status !== 200) {
    throw new Error(`${answer.status} ${JSON.stringify(answer.body)}`);
  }
  return answer.body;
}

/**
 * @param {string} issuer
 * @param {string | undefined} token
 * @param {Record<string, string>} more
 */
export function refresh(issuer, token, more = {}) {
  return post(issuer, '/oauth/token', { grant_type: 'refresh_token', client_id: ASKED.client_id, refresh_token: token, ...more });
}

/**
 * The claims of a token, verified as a gate does it.
 *
 * @param {string} issuer
 * @param {string} token
 * @param {string} [audience]
 */
export async function verified(issuer, token, audience = AUDIENCE) {
  const keys = createRemoteJWKSet(new URL('/.well-known/jwks.json', issuer));
  return jwtVerify(token, keys, { issuer, audience, algorithms: ['RS256'] });
}

/** @param {Parameters} parameters */
function encoded(parameters) {
  const said = Object.entries(parameters).filter((entry) => entry[1] !== undefined);
  return new URLSearchParams(/** @type {[string, string][]} */ (said));
}
