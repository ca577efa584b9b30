import assert from 'node:assert/strict';
import test from 'node:test';

import { ASKED, authorize, Browser, exchange, logIn, refresh, start, post, tokensOf, verified } from './harness.js';

const REDIRECT = 'http://127.0.0.1:7777/back';

const SCOPES = 'openid profile offline_access read:timesheets create:timesheets admin';

/**
 * @param {string} issuer
 * @param {Record<string, unknown>} metadata
 */
async function register(issuer, metadata) {
  const response = await fetch(new URL('/oidc/register', issuer), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(metadata),
  });
  return { status: response.status, body: /** @type {Record<string, any>} */ (await response.json()) };
}

/**
 * @param {string} issuer
 * @param {Record<string, unknown>} [more]
 */
async function stranger(issuer, more) {
  const { status, body } = await register(issuer, {
    client_name: 'Chart & <b>Co</b>',
    redirect_uris: [REDIRECT],
    grant_types: ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: 'none',
    ...more,
  });
  assert.equal(status, 201, JSON.stringify(body));
  return { client_id: String(body['client_id']), redirect_uri: REDIRECT, scope: SCOPES };
}

/**
 * The consent page, and an answer to it.
 *
 * @param {Browser} browser
 * @param {{ url: URL, text: string }} page
 * @param {string[]} unticked
 */
function answer(browser, page, unticked) {
  const ticked = [...page.text.matchAll(/name="scope" value="([^"]+)" checked>/g)].map(([, scope]) => scope);
  const scopes = ticked.filter((scope) => scope !== undefined && !unticked.includes(scope));
  return browser.submit(page.url.pathname, allowing(scopes));
}

/** @param {(string | undefined)[]} scopes */
function allowing(scopes) {
  const form = new URLSearchParams({ answer: 'allow' });
  scopes.forEach((scope) => form.append('scope', String(scope)));
  return form;
}

test('a client that registered itself gets what the person left ticked', async (t) => {
  const { issuer, log } = await start(t);
  const client = await stranger(issuer);
  const browser = new Browser(issuer);
  const page = await logIn(browser, 'carol', client);
  assert.match(page.url.pathname, /^\/u\/consent\//);
  assert.ok(page.text.includes('Chart &#38; &#60;b&#62;Co&#60;/b&#62;'), page.text);
  assert.ok(page.text.includes('http://127.0.0.1:7777'));
  assert.ok(page.text.includes('Nobody has checked who is behind it'));
  assert.match(page.text, /id="openid" name="scope" value="openid" checked disabled/);
  assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'none'/);

  const { body } = await exchange(issuer, await answer(browser, page, ['create:timesheets', 'profile']), client);
  const { payload } = await verified(issuer, body.access_token);
  assert.equal(payload.azp, client.client_id);
  assert.equal(payload.sub, 'carol');
  assert.deepEqual(String(payload.scope).split(' ').sort(), ['offline_access', 'openid', 'read:timesheets']);
  // The page does not ask about roles, and a role opens routes.
  assert.equal('roles' in payload, false);
  assert.match(log(), new RegExp(`event=consent client=${client.client_id} account=carol outcome=granted`));

  const later = await post(issuer, '/oauth/token', {
    grant_type: 'refresh_token', client_id: client.client_id, refresh_token: body.refresh_token,
  });
  assert.deepEqual(later.body.scope.split(' ').sort(), ['offline_access', 'openid', 'read:timesheets']);
});

test('a scope that is not offered is not granted, whatever the form says', async (t) => {
  const { issuer } = await start(t);
  const client = await stranger(issuer);
  const browser = new Browser(issuer);
  const page = await logIn(browser, 'bob', client);
  assert.equal(page.text.includes('value="create:timesheets"'), false);
  assert.equal(page.text.includes('value="admin"'), false);
  assert.match(page.text, /It also asked for <code>create:timesheets admin<\/code>, and does not get that/);
  const end = await browser.submit(page.url.pathname, allowing(SCOPES.split(' ')));
  const { body } = await exchange(issuer, end, client);
  assert.deepEqual(body.scope.split(' ').sort(), ['offline_access', 'openid', 'profile', 'read:timesheets']);
});

test('each request of such a client is asked about, and none passes without a person', async (t) => {
  const { issuer } = await start(t);
  const client = await stranger(issuer);
  const browser = new Browser(issuer);
  const first = await exchange(issuer, await answer(browser, await logIn(browser, 'alice', client), []), client);
  const silent = await browser.open(authorize({ ...client, prompt: 'none' }));
  assert.equal(silent.url.searchParams.get('error'), 'consent_required');

  const again = await browser.open(authorize(client));
  assert.match(again.url.pathname, /^\/u\/consent\//);
  await answer(browser, again, ['offline_access']);
  // The newer answer counts.
  const old = await post(issuer, '/oauth/token', {
    grant_type: 'refresh_token', client_id: client.client_id, refresh_token: first.body.refresh_token,
  });
  assert.equal(old.body.error, 'invalid_grant');
});

test('a person who declines gives nothing', async (t) => {
  const { issuer } = await start(t);
  const client = await stranger(issuer);
  const browser = new Browser(issuer);
  const page = await logIn(browser, 'alice', client);
  const end = await browser.open(page.url.pathname, { answer: 'deny' });
  assert.equal(end.url.origin, 'http://127.0.0.1:7777');
  assert.equal(end.url.searchParams.get('error'), 'access_denied');
});

test('the consent of one client is not that of another', async (t) => {
  const { issuer } = await start(t);
  const client = await stranger(issuer);
  const tokens = await tokensOf(issuer, 'alice');
  const stolen = await post(issuer, '/oauth/token', {
    grant_type: 'refresh_token', client_id: client.client_id, refresh_token: tokens.refresh_token,
  });
  assert.equal(stolen.body.error, 'invalid_grant');
  assert.equal((await refresh(issuer, tokens.refresh_token)).status, 200);
});

test('a client with a secret has to show it', async (t) => {
  const { issuer } = await start(t);
  const { status, body: made } = await register(issuer, { redirect_uris: [REDIRECT] });
  assert.equal(status, 201);
  const client = { client_id: String(made['client_id']), redirect_uri: REDIRECT, scope: 'openid' };
  const browser = new Browser(issuer);
  const end = await answer(browser, await logIn(browser, 'alice', client), []);
  assert.equal((await exchange(issuer, end, { ...client, client_secret: 'guess' })).status, 401);
});

test('what may be registered is bounded', async (t) => {
  const { issuer } = await start(t);
  const many = Array.from({ length: 11 }, (_, i) => `https://app.example.com/${i}`);
  for (const [metadata, error] of /** @type {const} */ ([
    [{ redirect_uris: ['http://app.example.com/'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['javascript:alert(1)'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['com.example.app:/back'], application_type: 'native' }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['http://127.0.0.1.example.com/'] }, 'invalid_redirect_uri'],
    // Hosts to a URL, and more than a host in a header.
    [{ redirect_uris: ['https://a;sandbox/cb'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['https://*/cb'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ['https://a,b/cb'] }, 'invalid_redirect_uri'],
    [{ redirect_uris: ["https://'none'/cb"] }, 'invalid_redirect_uri'],
    [{ post_logout_redirect_uris: ['https://*.example.com/'] }, 'invalid_client_metadata'],
    [{ redirect_uris: many }, 'invalid_redirect_uri'],
    [{ redirect_uris: 'https://app.example.com/' }, 'invalid_redirect_uri'],
    [{ redirect_uris: [] }, 'invalid_redirect_uri'],
    [{ post_logout_redirect_uris: ['http://app.example.com/'] }, 'invalid_client_metadata'],
    [{ client_name: 'x'.repeat(81) }, 'invalid_client_metadata'],
    [{ client_name: 'stehsemiT\u202e' }, 'invalid_client_metadata'],
    [{ grant_types: ['client_credentials'] }, 'invalid_client_metadata'],
    [{ grant_types: ['authorization_code', 'implicit'] }, 'invalid_client_metadata'],
    [{ response_types: ['code id_token'] }, 'invalid_client_metadata'],
    [{ sector_identifier_uri: 'https://app.example.com/' }, 'invalid_client_metadata'],
    [{ first_party: true }, 'invalid_client_metadata'],
    [{ scope: 'admin' }, 'invalid_client_metadata'],
    [{ client_name: 'x'.repeat(60_000) }, 'invalid_request'],
  ])) {
    const { status, body } = await register(issuer, { redirect_uris: [REDIRECT], ...metadata });
    assert.deepEqual([status, body['error']], [400, error], JSON.stringify(metadata).slice(0, 200));
  }
  const named = await register(issuer, { redirect_uris: [REDIRECT], client_id: ASKED.client_id, client_secret: 'mine' });
  assert.notEqual(named.body['client_id'], ASKED.client_id);
  assert.notEqual(named.body['client_secret'], 'mine');
});

test('hosts are names and addresses', async (t) => {
  const { issuer } = await start(t);
  for (const uri of ['https://app-1.Example.com:8443/', 'https://bücher.example/', 'https://192.0.2.1/', 'https://[2001:db8::1]/', 'http://[::1]:7777/']) {
    assert.equal((await register(issuer, { redirect_uris: [uri] })).status, 201, uri);
  }
});

test('there is room for two hundred such clients', async (t) => {
  const { issuer } = await start(t);
  for (let i = 0; i < 200; i += 1) {
    assert.equal((await register(issuer, { redirect_uris: [REDIRECT] })).status, 201);
  }
  const { status, body } = await register(issuer, { redirect_uris: [REDIRECT] });
  assert.deepEqual([status, body['error']], [503, 'temporarily_unavailable']);
  // Those of the example are no part of it.
  await tokensOf(issuer, 'alice');
});
