/** The gate as any program sees it. */

import assert from 'node:assert/strict';

export const AUDIENCE = 'https://timesheets.example.com/api';

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Headers} headers
 * @property {any} body JSON if it is, else text
 * @property {string} challenge
 */

export class Gate {
  #origin;
  #secrets;

  /**
   * @param {string} origin
   * @param {import('./secrets.js').Secrets} secrets
   */
  constructor(origin, secrets) {
    this.#origin = origin;
    this.#secrets = secrets;
  }

  /**
   * Sends a request. A refusal must not repeat a token, and nobody may keep it.
   *
   * @param {string} method
   * @param {string} path
   * @param {{ token?: string, headers?: Record<string, string>, json?: unknown }} [options]
   * @returns {Promise<Answer>}
   */
  async send(method, path, { token, headers = {}, json } = {}) {
    const response = await fetch(new URL(path, this.#origin), {
      method,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(json === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(json === undefined ? {} : { body: JSON.stringify(json) }),
      redirect: 'manual',
    });
    const text = await response.text();
    if (response.status >= 400) {
      this.#secrets.add('the token of the request', token);
      const told = this.#secrets.in(`${[...response.headers].join('\n')}\n${text}`);
      assert.deepEqual(told, [], `secrets in the ${response.status} to ${method} ${path}`);
      assert.equal(response.headers.get('cache-control'), 'no-store');
      assert.equal(response.headers.get('content-type'), 'application/problem+json');
    }
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      headers: response.headers,
      body: isJson ? JSON.parse(text) : text,
      challenge: response.headers.get('www-authenticate') ?? '',
    };
  }

  /** @param {string} [token] */
  list(token) {
    return this.send('GET', '/timesheets', token === undefined ? {} : { token });
  }

  /**
   * @param {string} token
   * @param {string} project
   * @param {Record<string, string>} [headers]
   */
  add(token, project, headers = {}) {
    return this.send('POST', '/timesheets', { token, headers, json: { date: '2026-03-02', project, hours: 1.5 } });
  }
}

/**
 * A 401 for a token that is not accepted.
 *
 * @param {Answer} answer
 * @param {{ expired?: boolean }} [how]
 */
export function assertInvalidToken(answer, { expired = false } = {}) {
  assert.equal(answer.status, 401);
  assert.deepEqual(answer.body, { title: 'Missing or invalid token', status: 401 });
  assert.match(answer.challenge, /^Bearer realm="timesheets", error="invalid_token"/);
  assert.equal(/error_description="The access token expired"/.test(answer.challenge), expired, answer.challenge);
}

/**
 * A 403 for a token that is accepted, and was not granted enough.
 *
 * @param {Answer} answer
 * @param {string} scope
 */
export function assertInsufficientScope(answer, scope) {
  assert.equal(answer.status, 403);
  assert.deepEqual(answer.body, { title: 'Insufficient scope', status: 403 });
  assert.equal(answer.challenge, `Bearer realm="timesheets", error="insufficient_scope", scope="${scope}"`);
}
