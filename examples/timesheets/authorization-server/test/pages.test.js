import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import test from 'node:test';

import { authorize, Browser, start, tokensOf } from './harness.js';

/** @param {{ headers: Headers, text: string }} page */
function assertGuarded({ headers, text }) {
  const policy = headers.get('content-security-policy') ?? '';
  assert.match(policy, /default-src 'none'/, text);
  assert.match(policy, /frame-ancestors 'none'/);
  assert.equal(headers.get('x-frame-options'), 'DENY');
  assert.equal(headers.get('x-content-type-options'), 'nosniff');
  for (const [, script] of text.matchAll(/<script>([^]*?)<\/script>/g)) {
    const hash = createHash('sha256').update(String(script)).digest('base64');
    assert.ok(policy.includes(`script-src 'sha256-${hash}'`), `${policy}\n${text}`);
  }
}

test('the pages of the provider itself are framed and extended by nobody', async (t) => {
  const { issuer } = await start(t);
  // Nobody is logged in: the provider answers with a form that posts itself.
  const nobody = await new Browser(issuer).open('/oidc/logout');
  assert.match(nobody.text, /<script>/);
  assertGuarded(nobody);

  const redirected = await fetch(new URL(authorize(), issuer), { redirect: 'manual' });
  assert.equal(redirected.status, 303);
  assertGuarded({ headers: redirected.headers, text: await redirected.text() });
});

test('an answer comes in the query, and in no page and no fragment', async (t) => {
  const { issuer } = await start(t);
  const browser = new Browser(issuer);
  await tokensOf(issuer, 'alice', {}, browser);
  for (const mode of ['form_post', 'fragment']) {
    const answer = await browser.open(authorize({ response_mode: mode }));
    assertGuarded(answer);
    const said = `${answer.url.search}${answer.url.hash}${answer.text}`;
    assert.match(said, /invalid_request/, mode);
    assert.doesNotMatch(said, /code=|name="code"/, mode);
  }
  assert.ok((await browser.open(authorize({ response_mode: 'query' }))).url.searchParams.has('code'));
});

test('a body that is refused before its end ends its connection', async (t) => {
  const { issuer } = await start(t);
  const { hostname, port, host } = new URL(issuer);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  await once(socket, 'connect');
  socket.write(`POST /rotate HTTP/1.1\r\nhost: ${host}\r\norigin: https://evil.example\r\ncontent-length: 100000\r\n\r\n`);
  const [answer] = await once(socket, 'data');
  assert.match(String(answer), /^HTTP\/1\.1 403 /);
  assert.match(String(answer), /\r\nconnection: close\r\n/i);
});
