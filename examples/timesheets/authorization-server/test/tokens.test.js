import assert from 'node:assert/strict';
import test from 'node:test';

import { decodeProtectedHeader } from 'jose';

import { AUDIENCE, authorize, Browser, exchange, logIn, post, refresh, start, tokensOf, verified } from './harness.js';

test('a refresh token is used once, and gives the next one', async (t) => {
  const { issuer } = await start(t);
  const first = await tokensOf(issuer, 'alice');
  const { status, body } = await refresh(issuer, first.refresh_token);
  assert.equal(status, 200);
  assert.notEqual(body.refresh_token, first.refresh_token);
  const { payload } = await verified(issuer, body.access_token);
  assert.equal(payload.sub, 'alice');
  assert.equal(payload.scope, first.scope);
  assert.equal((await refresh(issuer, body.refresh_token)).status, 200);
});

test('a refresh token used twice ends the whole grant', async (t) => {
  const { issuer, log } = await start(t);
  const first = await tokensOf(issuer, 'alice');
  const second = await refresh(issuer, first.refresh_token);
  const stolen = await refresh(issuer, first.refresh_token);
  assert.equal(stolen.status, 400);
  assert.equal(stolen.body.error, 'invalid_grant');
  assert.equal((await refresh(issuer, second.body.refresh_token)).body.error, 'invalid_grant');
  assert.match(log(), /outcome=refused client=timesheets-spa grant=refresh_token error=invalid_grant reason="refresh token already used"/);
});

test('a refresh token used twice at the same time ends the whole grant as well', async (t) => {
  const { issuer } = await start(t);
  const { refresh_token: token } = await tokensOf(issuer, 'alice');
  const answers = await Promise.all([refresh(issuer, token), refresh(issuer, token), refresh(issuer, token)]);
  const given = answers.filter(({ status }) => status === 200);
  assert.ok(given.length <= 1, `${given.length} of three were answered`);
  for (const { body } of given) {
    assert.equal((await refresh(issuer, body.refresh_token)).body.error, 'invalid_grant');
  }
});

test('without offline_access there is no refresh token', async (t) => {
  const { issuer } = await start(t);
  const tokens = await tokensOf(issuer, 'alice', { scope: 'openid read:timesheets' });
  assert.equal(tokens.refresh_token, undefined);
});

test('a revoked refresh token is dead', async (t) => {
  const { issuer } = await start(t);
  const { refresh_token: token } = await tokensOf(issuer, 'alice');
  const revoked = await post(issuer, '/oauth/revoke', { client_id: 'timesheets-spa', token });
  assert.equal(revoked.status, 200);
  assert.equal((await refresh(issuer, token)).body.error, 'invalid_grant');
});

test('a machine gets a token for itself', async (t) => {
  const { issuer, batch } = await start(t);
  const form = { grant_type: 'client_credentials', client_id: batch?.client_id, client_secret: batch?.client_secret };
  for (const named of [{ audience: AUDIENCE }, { resource: AUDIENCE }]) {
    const { status, body } = await post(issuer, '/oauth/token', { ...form, ...named, scope: 'read:timesheets' });
    assert.equal(status, 200);
    const { payload } = await verified(issuer, body.access_token);
    assert.equal(payload.sub, 'timesheets-batch@clients');
    assert.equal(payload.azp, 'timesheets-batch');
    assert.equal(payload.gty, 'client-credentials');
    assert.equal(payload.scope, 'read:timesheets');
    assert.equal(payload.aud, AUDIENCE);
  }
  const all = await post(issuer, '/oauth/token', { ...form, audience: AUDIENCE });
  assert.equal(all.body.scope, 'read:timesheets create:timesheets');
});

test('a machine gets nothing that is not its own', async (t) => {
  const { issuer, batch } = await start(t);
  const form = {
    grant_type: 'client_credentials', client_id: batch?.client_id, client_secret: batch?.client_secret, audience: AUDIENCE,
  };
  for (const [changed, status, error] of /** @type {const} */ ([
    [{ scope: 'read:timesheets delete:timesheets' }, 400, 'invalid_scope'],
    [{ scope: 'admin' }, 400, 'invalid_scope'],
    [{ audience: 'https://other.example.com/' }, 400, 'invalid_target'],
    [{ audience: undefined }, 400, 'invalid_target'],
    [{ client_secret: 'guess' }, 401, 'invalid_client'],
    [{ client_id: 'timesheets-spa', client_secret: undefined }, 400, 'invalid_request'],
  ])) {
    const answer = await post(issuer, '/oauth/token', { ...form, ...changed });
    assert.deepEqual([answer.status, answer.body.error], [status, error], JSON.stringify(changed));
  }
});

test('a request for two APIs, or another than was granted, is refused', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const unknown = await browser.open(authorize({ audience: 'https://other.example.com/' }));
  assert.equal(unknown.url.searchParams.get('error'), 'invalid_target');
  const two = await browser.open(authorize({ resource: AUDIENCE, audience: 'https://other.example.com/' }));
  assert.equal(two.url.searchParams.get('error'), 'invalid_target');
  const end = await logIn(browser, 'alice');
  const other = await exchange(issuer, end, { audience: 'https://other.example.com/' });
  assert.equal(other.body.error, 'invalid_target');
});

test('a refresh token is not used up by a request for another API', async (t) => {
  const { issuer } = await start(t);
  const other = 'https://other.example.com/';
  for (const [asked, named] of /** @type {const} */ ([
    [{}, { audience: other }],
    [{}, { resource: other }],
    [{ audience: undefined }, { resource: AUDIENCE }],
    [{ audience: undefined }, { audience: AUDIENCE }],
  ])) {
    const { refresh_token: token } = await tokensOf(issuer, 'alice', asked);
    const { status, body } = await refresh(issuer, token, named);
    assert.deepEqual([status, body.error], [400, 'invalid_target'], JSON.stringify([asked, named]));
    assert.equal((await refresh(issuer, token)).status, 200);
  }
});

test('the standard parameter names the API as well', async (t) => {
  const { issuer } = await start(t);
  const tokens = await tokensOf(issuer, 'alice', { audience: undefined, resource: AUDIENCE });
  assert.equal((await verified(issuer, tokens.access_token)).payload.sub, 'alice');
});

test('without an audience the access token is opaque, and for /userinfo alone', async (t) => {
  const { issuer } = await start(t);
  const tokens = await tokensOf(issuer, 'alice', { audience: undefined });
  assert.throws(() => decodeProtectedHeader(tokens.access_token));
  assert.equal(tokens.scope.includes('timesheets'), false);
  const { status, body } = await whoIs(issuer, tokens.access_token);
  assert.equal(status, 200);
  assert.deepEqual(body, { sub: 'alice', name: 'Alice', nickname: 'alice', email: 'alice@example.com', email_verified: true });
});

test('/userinfo takes the access token of the API', async (t) => {
  const { issuer } = await start(t);
  const tokens = await tokensOf(issuer, 'bob', { scope: 'openid profile read:timesheets' });
  const { status, body } = await whoIs(issuer, tokens.access_token);
  assert.equal(status, 200);
  assert.deepEqual(body, { sub: 'bob', name: 'Bob', nickname: 'bob' });
});

test('/userinfo refuses tokens that are not for it', async (t) => {
  const { issuer, batch } = await start(t);
  const withoutOpenid = await tokensOf(issuer, 'alice', { scope: 'read:timesheets', nonce: undefined });
  const { access_token: own, id_token: idToken } = await tokensOf(issuer, 'alice');
  const form = { grant_type: 'client_credentials', client_id: batch?.client_id, client_secret: batch?.client_secret, audience: AUDIENCE };
  const { body: machine } = await post(issuer, '/oauth/token', form);
  const other = await start(t);
  const { access_token: foreign } = await tokensOf(other.issuer, 'alice');
  const [header, payload = '', signature] = own.split('.');
  const claims = { ...JSON.parse(Buffer.from(payload, 'base64url').toString()), sub: 'bob' };
  const forged = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
  assert.equal((await whoIs(issuer, own)).status, 200);
  for (const token of [withoutOpenid.access_token, machine.access_token, idToken, foreign, forged, 'opaque']) {
    const { status, headers } = await whoIs(issuer, token);
    assert.equal(status, 401);
    assert.match(headers.get('www-authenticate') ?? '', /error="invalid_token"/);
  }
});

test('/userinfo refuses a token that has expired', async (t) => {
  const { issuer } = await start(t, { accessTokenSeconds: 1 });
  const { access_token: token } = await tokensOf(issuer, 'alice');
  await new Promise((resolve) => {
    setTimeout(resolve, 1100);
  });
  assert.equal((await whoIs(issuer, token)).status, 401);
});

/**
 * @param {string} issuer
 * @param {string} token
 */
async function whoIs(issuer, token) {
  const response = await fetch(new URL('/userinfo', issuer), { headers: { authorization: `Bearer ${token}` } });
  return { status: response.status, body: await response.json(), headers: response.headers };
}
