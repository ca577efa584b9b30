/** The authorization server: what a program asks it, and what a person does on its pages. */

import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';

import { AUDIENCE } from './gate.js';

/** Of each person of the example. */
export const PASSWORD = 'timesheets';

export class AuthorizationServer {
  #secrets;

  /**
   * @param {string} issuer
   * @param {import('./secrets.js').Secrets} secrets
   */
  constructor(issuer, secrets) {
    this.issuer = issuer;
    this.#secrets = secrets;
  }

  /**
   * Asks the token endpoint.
   *
   * @param {Record<string, string>} form
   * @returns {Promise<{ status: number, body: Record<string, any> }>}
   */
  async token(form) {
    const response = await fetch(new URL('oauth/token', this.issuer), { method: 'POST', body: new URLSearchParams(form) });
    const body = await response.json();
    this.#secrets.addTokens(body);
    return { status: response.status, body };
  }

  /**
   * The access token of the client for machines.
   *
   * @param {{ client_id: string, client_secret: string }} client
   * @returns {Promise<string>}
   */
  async machineToken(client) {
    const { status, body } = await this.token({ grant_type: 'client_credentials', ...client, audience: AUDIENCE });
    assert.equal(status, 200, JSON.stringify(body));
    return body['access_token'];
  }

  /** @param {string} token a refresh token of the app */
  refresh(token) {
    return this.token({ grant_type: 'refresh_token', client_id: 'timesheets-spa', refresh_token: token });
  }

  /**
   * Makes a new signing key.
   *
   * @param {{ drop?: boolean }} [how] whether the old ones are taken back
   * @returns {Promise<string[]>} the names of the keys that are published
   */
  async rotate({ drop = false } = {}) {
    const response = await fetch(new URL(drop ? 'rotate?drop=old' : 'rotate', this.issuer), { method: 'POST' });
    assert.equal(response.status, 200);
    return (await response.json()).kids;
  }

  /**
   * Registers somebody else's client (RFC 7591).
   *
   * @param {string} name
   * @param {string} redirectUri
   * @returns {Promise<string>} its client_id
   */
  async register(name, redirectUri) {
    const response = await fetch(new URL('oidc/register', this.issuer), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({
        client_name: name,
        redirect_uris: [redirectUri],
        token_endpoint_auth_method: 'none',
        grant_types: ['authorization_code', 'refresh_token'],
      }),
    });
    const body = await response.json();
    assert.equal(response.status, 201, JSON.stringify(body));
    this.#secrets.addTokens(body);
    return body.client_id;
  }

  /**
   * An authorization request with PKCE.
   *
   * @param {{ clientId: string, redirectUri: string, scope: string, audience?: string }} request
   */
  request({ clientId, redirectUri, scope, audience }) {
    const verifier = randomBytes(32).toString('base64url');
    const state = randomBytes(16).toString('base64url');
    const url = new URL('authorize', this.issuer);
    url.search = new URLSearchParams({
      client_id: clientId,
      redirect_uri: redirectUri,
      response_type: 'code',
      scope,
      state,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
      ...(audience === undefined ? {} : { audience }),
    }).toString();
    /** @param {URLSearchParams} answer what came to the redirect URI */
    const redeem = async (answer) => {
      assert.equal(answer.get('state'), state);
      const code = answer.get('code') ?? '';
      this.#secrets.add('a code', code);
      const form = { grant_type: 'authorization_code', client_id: clientId, redirect_uri: redirectUri, code, code_verifier: verifier };
      const { status, body } = await this.token(form);
      assert.equal(status, 200, JSON.stringify(body));
      return body;
    };
    return { url: url.href, redeem };
  }
}

/**
 * Fills in the login page and sends it.
 *
 * @param {import('playwright-core').Page} page
 * @param {string} name
 * @param {string} [password]
 */
export async function logIn(page, name, password = PASSWORD) {
  await page.getByLabel('Name').fill(name);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: 'Log in' }).click();
}

/**
 * The claims of a JWT, as its bearer could read them.
 *
 * @param {string} jwt
 * @returns {Record<string, any>}
 */
export function claimsOf(jwt) {
  return JSON.parse(Buffer.from(String(jwt.split('.')[1]), 'base64url').toString());
}

/**
 * The name of the key that signed a JWT.
 *
 * @param {string} jwt
 * @returns {string}
 */
export function kidOf(jwt) {
  return JSON.parse(Buffer.from(String(jwt.split('.')[0]), 'base64url').toString()).kid;
}

/**
 * Waits until a token has expired.
 *
 * @param {string} jwt
 */
export async function expiry(jwt) {
  // From `exp` on a token is not accepted (RFC 7519, section 4.1.4); the clock is that of the gate.
  await sleep(Math.max(0, claimsOf(jwt)['exp'] * 1000 + 100 - Date.now()));
}
