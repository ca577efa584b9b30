import assert from 'node:assert/strict';
import test from 'node:test';

import { decodeProtectedHeader } from 'jose';

import { APP, authorize, Browser, exchange, logIn, refresh, start, tokensOf, verified } from './harness.js';

/**
 * @param {string} issuer
 * @param {string} [query]
 * @param {Record<string, string>} [headers]
 */
function rotate(issuer, query = '', headers = {}) {
  return fetch(new URL(`/rotate${query}`, issuer), { method: 'POST', headers });
}

/** @param {string} issuer */
async function published(issuer) {
  const response = await fetch(new URL('/.well-known/jwks.json', issuer));
  const { keys } = /** @type {{ keys: Record<string, string>[] }} */ (await response.json());
  return { keys, kids: keys.map(({ kid }) => kid), headers: response.headers };
}

test('the key set holds public keys, for a minute', async (t) => {
  const { issuer } = await start(t);
  const { keys, headers } = await published(issuer);
  assert.equal(headers.get('cache-control'), 'public, max-age=60');
  assert.deepEqual(keys.map((key) => Object.keys(key).sort()), [['alg', 'e', 'kid', 'kty', 'n', 'use']]);
});

test('new keys end neither sessions nor tokens', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const old = await tokensOf(issuer, 'alice', {}, browser);
  const code = await browser.open(authorize());
  const page = await new Browser(issuer).open(authorize());
  const [before] = (await published(issuer)).kids;

  const answer = /** @type {{ kids: string[] }} */ (await (await rotate(issuer)).json());
  const { kids } = await published(issuer);
  assert.deepEqual(kids, answer.kids);
  assert.equal(kids.length, 2);
  assert.notEqual(kids[0], before);
  assert.equal(kids[1], before);

  // What was signed before still verifies, here and at a gate.
  assert.equal((await verified(issuer, old.access_token)).payload.sub, 'alice');
  const who = await fetch(new URL('/userinfo', issuer), { headers: { authorization: `Bearer ${old.access_token}` } });
  assert.equal(who.status, 200);
  // What was under way goes on, with the new key.
  for (const { body } of [await exchange(issuer, code), await refresh(issuer, old.refresh_token)]) {
    assert.equal(decodeProtectedHeader(body.access_token).kid, kids[0]);
    assert.equal(decodeProtectedHeader(body.id_token).kid, kids[0]);
    assert.equal((await verified(issuer, body.access_token)).payload.sub, 'alice');
  }
  const silent = await browser.open(authorize({ prompt: 'none' }));
  assert.ok(silent.url.searchParams.has('code'));
  assert.match(page.text, /Log in/);
});

test('dropped keys are gone at once', async (t) => {
  const { issuer } = await start(t);
  const { access_token: token } = await tokensOf(issuer, 'alice');
  assert.equal((await rotate(issuer, '?drop=old')).status, 200);
  assert.equal((await published(issuer)).kids.length, 1);
  await assert.rejects(verified(issuer, token), { code: 'ERR_JWKS_NO_MATCHING_KEY' });
  const who = await fetch(new URL('/userinfo', issuer), { headers: { authorization: `Bearer ${token}` } });
  assert.equal(who.status, 401);
});

test('there are never more than eight keys', async (t) => {
  const { issuer } = await start(t);
  for (let i = 0; i < 9; i += 1) {
    assert.equal((await rotate(issuer)).status, 200);
  }
  assert.equal((await published(issuer)).kids.length, 8);
});

test('no web page makes new keys', async (t) => {
  const { issuer } = await start(t);
  const { kids } = await published(issuer);
  for (const [header, value] of /** @type {const} */ ([
    ['origin', APP],
    ['origin', new URL(issuer).origin],
    ['sec-fetch-site', 'cross-site'],
    ['sec-fetch-site', 'same-origin'],
  ])) {
    assert.equal((await rotate(issuer, '', { [header]: value })).status, 403);
  }
  assert.equal((await fetch(new URL('/rotate', issuer))).status, 405);
  assert.equal((await rotate(issuer, '?drop=all')).status, 400);
  assert.deepEqual((await published(issuer)).kids, kids);
  assert.equal((await rotate(issuer, '', { 'sec-fetch-site': 'none' })).status, 200);
});

test('a login that began before goes on after new keys', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const page = await browser.open(authorize());
  await rotate(issuer);
  const end = await browser.open(page.url.pathname, { name: 'alice', password: 'timesheets', answer: 'login' });
  assert.equal((await exchange(issuer, end)).status, 200);
  assert.ok((await logIn(new Browser(issuer), 'bob')).url.searchParams.has('code'));
});
