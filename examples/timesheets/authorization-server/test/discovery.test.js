import assert from 'node:assert/strict';
import { request } from 'node:http';
import test from 'node:test';

import { APP, ASKED, authorize, Browser, exchange, logIn, post, start, tokensOf } from './harness.js';

const EVIL = 'https://evil.example.com';

test('the metadata names the endpoints of an Auth0 tenant', async (t) => {
  const { issuer } = await start(t);
  const response = await fetch(new URL('/.well-known/openid-configuration', issuer));
  const metadata = /** @type {Record<string, unknown>} */ (await response.json());
  assert.equal(metadata['issuer'], issuer);
  assert.ok(issuer.endsWith('/'));
  for (const [member, path] of [
    ['authorization_endpoint', 'authorize'],
    ['token_endpoint', 'oauth/token'],
    ['userinfo_endpoint', 'userinfo'],
    ['registration_endpoint', 'oidc/register'],
    ['end_session_endpoint', 'oidc/logout'],
    ['revocation_endpoint', 'oauth/revoke'],
    ['jwks_uri', '.well-known/jwks.json'],
  ]) {
    assert.equal(metadata[String(member)], issuer + path);
  }
  assert.deepEqual(metadata['id_token_signing_alg_values_supported'], ['RS256']);
  assert.deepEqual(metadata['code_challenge_methods_supported'], ['S256']);
  assert.deepEqual(metadata['response_types_supported'], ['code']);
});

test('pages of the app may read answers, pages of others may not', async (t) => {
  const { issuer } = await start(t);
  const documents = ['/.well-known/openid-configuration', '/.well-known/jwks.json'];
  for (const path of documents) {
    assert.equal(await allowed(fetch(new URL(path, issuer), { headers: { origin: APP } })), APP);
    assert.equal(await allowed(fetch(new URL(path, issuer), { headers: { origin: EVIL } })), null);
  }
  for (const path of ['/oauth/token', '/userinfo', '/oauth/revoke', ...documents]) {
    const headers = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' };
    const preflight = (/** @type {string} */ origin) =>
      fetch(new URL(path, issuer), { method: 'OPTIONS', headers: { ...headers, origin } });
    assert.equal(await allowed(preflight(APP)), APP, path);
    assert.equal((await preflight(APP)).headers.get('access-control-allow-headers'), 'authorization', path);
    assert.equal(await allowed(preflight(EVIL)), null, path);
    assert.equal(await allowed(preflight('null')), null, path);
  }
});

test('tokens are for pages of the client that asks', async (t) => {
  const { issuer, batch } = await start(t);
  const end = await logIn(new Browser(issuer), 'alice');
  const { client_id, redirect_uri } = ASKED;
  const form = { grant_type: 'authorization_code', client_id, redirect_uri, code: String(end.url.searchParams.get('code')) };
  const evil = await post(issuer, '/oauth/token', form, { origin: EVIL });
  assert.equal(evil.status, 400);
  assert.equal(evil.headers.get('access-control-allow-origin'), null);
  // The origin of the app is not one of the machine's.
  const machine = { grant_type: 'client_credentials', client_id: batch?.client_id, client_secret: batch?.client_secret };
  const borrowed = await post(issuer, '/oauth/token', { ...machine, audience: ASKED.audience }, { origin: APP });
  assert.equal(borrowed.status, 400);
  assert.equal(borrowed.headers.get('access-control-allow-origin'), null);

  const { body } = await exchange(issuer, end);
  const refreshed = { grant_type: 'refresh_token', client_id, refresh_token: body.refresh_token };
  const own = await post(issuer, '/oauth/token', refreshed, { origin: APP });
  assert.equal(own.status, 200);
  assert.equal(own.headers.get('access-control-allow-origin'), APP);

  for (const token of [own.body.access_token, 'no-token', 'no.to.ken']) {
    const who = (/** @type {string} */ origin) =>
      fetch(new URL('/userinfo', issuer), { headers: { origin, authorization: `Bearer ${token}` } });
    assert.equal(await allowed(who(APP)), APP);
    assert.match((await who(APP)).headers.get('access-control-expose-headers') ?? '', /WWW-Authenticate/);
    assert.equal(await allowed(who(EVIL)), null);
  }
});

test('each origin of the app is one that people come back to', async (t) => {
  const { issuer } = await start(t, { appOrigins: [APP, 'https://app.example.com'] });
  const tokens = await tokensOf(issuer, 'alice', {}, new Browser(issuer));
  assert.ok(tokens.access_token);
  const end = await logIn(new Browser(issuer), 'alice', { redirect_uri: 'https://app.example.com/' });
  assert.equal(end.url.origin, 'https://app.example.com');
});

test('a name of another site that points here is not answered', async (t) => {
  const { issuer } = await start(t);
  const { port } = new URL(issuer);
  const ask = (/** @type {string} */ host) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path: '/.well-known/openid-configuration', headers: { host } }, (answer) => {
        let text = '';
        answer.on('data', (chunk) => (text += chunk)).on('end', () => resolve({ status: answer.statusCode, text }));
      });
      sent.on('error', reject).end();
    });
  assert.equal((await ask(`evil.example.com:${port}`)).status, 421);
  assert.equal((await ask(`127.0.0.1.evil.example.com:${port}`)).status, 421);
  const alias = await ask(`localhost:${port}`);
  assert.equal(alias.status, 200);
  assert.equal(JSON.parse(alias.text).token_endpoint, `${issuer}oauth/token`);
});

test('bodies are bounded', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const page = await browser.open(authorize());
  const large = await browser.open(page.url.pathname, { name: 'a'.repeat(5000), password: '', answer: 'login' });
  assert.equal(large.status, 413);
  const token = await post(issuer, '/oauth/token', { client_id: ASKED.client_id, refresh_token: 'a'.repeat(60_000) });
  assert.equal(token.status, 400);
});

/**
 * The origin whose pages may read an answer.
 *
 * @param {Promise<Response>} answer
 */
async function allowed(answer) {
  return (await answer).headers.get('access-control-allow-origin');
}
