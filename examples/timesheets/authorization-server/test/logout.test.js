import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import test from 'node:test';

import { APP, authorize, Browser, refresh, start, tokensOf } from './harness.js';

/** @type {[string, string]} */
const BACK = ['post_logout_redirect_uri', `${APP}/`];

/** @param {string} text */
function secretOf(text) {
  return /name="xsrf" value="([^"]+)"/.exec(text)?.[1];
}

/** @param {[string, string][]} parameters */
function logout(parameters) {
  return `/oidc/logout?${new URLSearchParams(parameters)}`;
}

test('the app logs a person out without a question, and back to the app', async (t) => {
  const { issuer, log } = await start(t);
  const browser = new Browser(issuer);
  const tokens = await tokensOf(issuer, 'alice', {}, browser);
  const page = await browser.open(logout([['id_token_hint', tokens.id_token], BACK, ['state', 'out']]));
  // The page presses its own button; that script is the only one that runs.
  const script = /<script>(.*)<\/script>/.exec(page.text)?.[1] ?? '';
  const hash = createHash('sha256').update(script).digest('base64');
  assert.ok(script.includes('button[name=logout]'), page.text);
  assert.ok(page.headers.get('content-security-policy')?.includes(`script-src 'sha256-${hash}'`));
  assert.ok(page.headers.get('content-security-policy')?.includes(`form-action 'self' ${APP}`));

  const end = await browser.open('/oidc/logout/confirm', { xsrf: secretOf(page.text), logout: 'yes' });
  assert.equal(end.url.href, `${APP}/?state=out`);
  assert.match((await browser.open(authorize())).url.pathname, /^\/u\/login\//);
  assert.equal((await browser.open(authorize({ prompt: 'none' }))).url.searchParams.get('error'), 'login_required');
  // What the app held ends with the session.
  assert.equal((await refresh(issuer, tokens.refresh_token)).body.error, 'invalid_grant');
  assert.match(log(), /event=logout outcome=done client=timesheets-spa\n/);
});

test('without an ID token of that person it is a question', async (t) => {
  const { issuer } = await start(t);
  const other = await tokensOf(issuer, 'bob');
  const browser = new Browser(issuer);
  await tokensOf(issuer, 'alice', {}, browser);
  for (const page of [
    await browser.open(logout([])),
    await browser.open(logout([['client_id', 'timesheets-spa'], BACK])),
    await browser.open(logout([['id_token_hint', other.id_token], BACK])),
  ]) {
    assert.match(page.text, /<h1>Log out\?<\/h1>/);
    assert.equal(page.text.includes('<script'), false);
    assert.match(page.headers.get('content-security-policy') ?? '', /script-src 'none'/);
  }
  // Nobody answered: alice is still there.
  assert.ok((await browser.open(authorize({ prompt: 'none' }))).url.searchParams.has('code'));

  const page = await browser.open(logout([]));
  const end = await browser.open('/oidc/logout/confirm', { xsrf: secretOf(page.text), logout: 'yes' });
  assert.match(end.text, /<h1>Logged out<\/h1>/);
  assert.match((await browser.open(authorize())).url.pathname, /^\/u\/login\//);
});

test('a form of somebody else logs nobody out', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const { id_token: hint } = await tokensOf(issuer, 'alice', {}, browser);
  await browser.open(logout([['id_token_hint', hint]]));
  assert.equal((await browser.open('/oidc/logout/confirm', { xsrf: 'guess', logout: 'yes' })).status, 400);
  assert.ok((await browser.open(authorize({ prompt: 'none' }))).url.searchParams.has('code'));
});

test('logging out leads to no address that is not registered', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  const { id_token: hint } = await tokensOf(issuer, 'alice', {}, browser);
  const page = await browser.open(logout([['id_token_hint', hint], ['post_logout_redirect_uri', 'https://evil.example.com/']]));
  assert.equal(page.status, 400);
  assert.match(page.text, /post_logout_redirect_uri not registered/);
});
