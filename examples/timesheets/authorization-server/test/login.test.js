import assert from 'node:assert/strict';
import test from 'node:test';

import { APP, AUDIENCE, authorize, Browser, exchange, logIn, post, start, tokensOf, verified } from './harness.js';

test('a login with a code and PKCE gives tokens as those of Auth0', async (t) => {
  const { issuer, log } = await start(t, { accessTokenSeconds: 120 });
  const end = await logIn(new Browser(issuer), 'alice');
  assert.equal(end.url.origin, APP);
  assert.equal(end.url.searchParams.get('state'), 'a-state');

  const { status, body } = await exchange(issuer, end);
  assert.equal(status, 200);
  assert.equal(body.token_type, 'Bearer');
  assert.equal(body.expires_in, 120);
  const scope = 'openid profile email offline_access read:timesheets create:timesheets delete:timesheets';
  assert.deepEqual(body.scope.split(' ').sort(), scope.split(' ').sort());
  assert.equal(typeof body.refresh_token, 'string');

  const { payload, protectedHeader } = await verified(issuer, body.access_token);
  assert.equal(protectedHeader.typ, 'at+jwt');
  assert.equal(payload.sub, 'alice');
  assert.equal(payload.azp, 'timesheets-spa');
  assert.deepEqual(payload.aud, [AUDIENCE, `${issuer}userinfo`]);
  assert.equal(payload.scope, body.scope);
  assert.equal(Number(payload.exp) - Number(payload.iat), 120);
  assert.equal('roles' in payload, false);
  assert.equal('gty' in payload, false);

  const id = await verified(issuer, body.id_token, 'timesheets-spa');
  assert.equal(id.payload.nonce, 'a-nonce');
  assert.equal(id.payload.email, 'alice@example.com');

  // What is decided is written down; what is secret is not.
  assert.match(log(), /event=login client=timesheets-spa outcome=granted account=alice\n/);
  assert.match(log(), /event=token outcome=granted client=timesheets-spa grant=authorization_code account=alice /);
  for (const secret of [body.access_token, body.refresh_token, body.id_token, end.url.searchParams.get('code')]) {
    assert.equal(log().includes(secret), false);
  }
});

test('an auditor has the role in the token of the app', async (t) => {
  const { issuer } = await start(t);
  const { access_token: token } = await tokensOf(issuer, 'carol');
  assert.deepEqual((await verified(issuer, token)).payload.roles, ['auditor']);
});

test('a client gets of what it asks for what the person may', async (t) => {
  const { issuer } = await start(t);
  const { access_token: token, scope } = await tokensOf(issuer, 'bob', { scope: 'openid read:timesheets create:timesheets admin' });
  assert.deepEqual(scope.split(' ').sort(), ['openid', 'read:timesheets']);
  assert.equal((await verified(issuer, token)).payload.scope, scope);
});

test('a second request of the app asks nobody, also for other scopes', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  await logIn(browser, 'alice', { scope: 'openid read:timesheets' });
  const silent = await browser.open(authorize({ prompt: 'none', scope: 'openid delete:timesheets' }));
  const { body } = await exchange(issuer, silent);
  assert.deepEqual(body.scope.split(' ').sort(), ['delete:timesheets', 'openid']);
});

test('without a session nobody is logged in silently', async (t) => {
  const { issuer } = await start(t);
  const end = await new Browser(issuer).open(authorize({ prompt: 'none' }));
  assert.equal(end.url.searchParams.get('error'), 'login_required');
});

test('a wrong password is told, and a right one after it is taken', async (t) => {
  const { issuer, log } = await start(t);
  const browser = new Browser(issuer);
  const page = await browser.open(authorize());
  for (const [name, password] of [['alice', 'Timesheets'], ['mallory', 'timesheets'], ['', '']]) {
    const again = await browser.open(page.url.pathname, { name, password, answer: 'login' });
    assert.equal(again.status, 401);
    assert.match(again.text, /<p class="error" role="alert" id="error">Name or password is wrong\.<\/p>/);
  }
  // A name that nobody has may be a password in the wrong field.
  assert.equal(log().includes('mallory'), false);
  const end = await browser.open(page.url.pathname, { name: ' Alice ', password: 'timesheets', answer: 'login' });
  assert.ok(end.url.searchParams.has('code'));
});

test('guessing stops after five passwords, for that name alone', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const page = await browser.open(authorize());
  const attempt = (/** @type {string} */ name, /** @type {string} */ password) =>
    browser.open(page.url.pathname, { name, password, answer: 'login' });
  for (let i = 0; i < 5; i += 1) {
    assert.equal((await attempt('alice', 'guess')).status, 401);
  }
  const stopped = await attempt('ALICE', 'timesheets');
  assert.equal(stopped.status, 429);
  assert.match(stopped.text, /role="alert"/);
  assert.ok(Number(stopped.headers.get('retry-after')) > 0);
  assert.ok((await attempt('bob', 'timesheets')).url.searchParams.has('code'));
});

test('a person who cancels goes back to the app', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const page = await browser.open(authorize());
  const end = await browser.open(page.url.pathname, { answer: 'cancel' });
  assert.equal(end.url.origin, APP);
  assert.equal(end.url.searchParams.get('error'), 'access_denied');
});

test('the login page runs no script, stays in no frame, and works without a mouse', async (t) => {
  const { issuer } = await start(t);
  const page = await new Browser(issuer).open(authorize({ login_hint: '"><script>alert(1)</script>' }));
  const policy = page.headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/);
  assert.match(policy, /script-src 'none'/);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.ok(policy.includes(`form-action 'self' ${APP};`), policy);
  assert.equal(page.text.includes('<script'), false);
  assert.match(page.text, /<label for="password">/);
  assert.match(page.text, /autocomplete="current-password"/);
  assert.match(page.text, /<strong>Timesheets<\/strong> asks who you are/);
  const style = await fetch(new URL('/u/style.css', issuer));
  assert.equal(style.headers.get('content-type'), 'text/css; charset=utf-8');
  assert.match(await style.text(), /:focus-visible/);
});

test('a form of another page, or in another browser, logs nobody in', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const page = await browser.open(authorize());
  const form = { name: 'alice', password: 'timesheets', answer: 'login' };
  // Another port is the same site: the cookies are sent.
  const forged = await browser.open(page.url.pathname, form, { origin: APP });
  assert.equal(forged.status, 403);
  const sibling = await browser.open(page.url.pathname, form, { 'sec-fetch-site': 'same-site' });
  assert.equal(sibling.status, 403);
  const stranger = await new Browser(issuer).open(page.url.pathname, form);
  assert.equal(stranger.status, 400);
  assert.match(stranger.text, /This page has expired/);
  const own = await browser.open(page.url.pathname, form, { origin: new URL(issuer).origin });
  assert.ok(own.url.searchParams.has('code'));
});

test('PKCE is required, with S256', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const none = await browser.open(authorize({ code_challenge: undefined, code_challenge_method: undefined }));
  assert.equal(none.url.searchParams.get('error'), 'invalid_request');
  const plain = await browser.open(authorize({ code_challenge_method: 'plain' }));
  assert.equal(plain.url.searchParams.get('error'), 'invalid_request');
  const end = await logIn(browser, 'alice');
  const stolen = await exchange(issuer, end, { code_verifier: 'the-verifier-of-somebody-who-stole-the-code' });
  assert.equal(stolen.body.error, 'invalid_grant');
});

test('a code used twice ends what came of it', async (t) => {
  const { issuer } = await start(t);
  const end = await logIn(new Browser(issuer), 'alice');
  const { body } = await exchange(issuer, end);
  assert.equal((await exchange(issuer, end)).body.error, 'invalid_grant');
  const refreshed = await post(issuer, '/oauth/token', {
    grant_type: 'refresh_token', client_id: 'timesheets-spa', refresh_token: body.refresh_token,
  });
  assert.equal(refreshed.body.error, 'invalid_grant');
});

test('nobody is sent to an address that the client did not register', async (t) => {
  const { issuer } = await start(t);
  const page = await new Browser(issuer).open(authorize({ redirect_uri: 'https://evil.example.com/' }));
  assert.equal(page.status, 400);
  assert.match(page.text, /<code>invalid_redirect_uri<\/code>/);
  assert.match(page.headers.get('content-security-policy') ?? '', /default-src 'none'/);
});
