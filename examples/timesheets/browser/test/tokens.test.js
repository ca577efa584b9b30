import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { claimsOf, logIn } from '../authorization-server.js';
import { ClientSite } from '../client-site.js';
import { assertInsufficientScope, assertInvalidToken } from '../gate.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite();

/** @type {ClientSite} */
let site;
before(async () => (site = await ClientSite.start()));
after(() => site?.stop());

test('without a token the API is closed, and the app is not', TEST_TIMEOUT, async () => {
  const refused = await run.gate.list();
  assert.deepEqual([refused.status, refused.challenge], [401, 'Bearer realm="timesheets"']);
  for (const path of ['/', '/app/config.json', '/healthz']) {
    assert.equal((await run.gate.send('GET', path)).status, 200, path);
  }
});

test('an ID token is no access token', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const { access_token: token, id_token: idToken } = await app.tokens();
  // Signed by the same key, for the same person.
  assert.deepEqual([claimsOf(idToken)['iss'], claimsOf(idToken)['sub']], [run.facts.issuer, 'alice']);
  assertInvalidToken(await run.gate.list(idToken));
  assertInvalidToken(await run.gate.add(idToken, 'by-id-token'));
  assert.equal((await run.gate.list(token)).status, 200);
});

test('an access token that is for no API is refused by this one', TEST_TIMEOUT, async () => {
  const clientId = await run.server.register('No audience', site.redirectUri);
  const request = run.server.request({ clientId, redirectUri: site.redirectUri, scope: 'openid profile read:timesheets' });
  const { page } = await run.browser();
  await page.goto(request.url);
  await logIn(page, 'alice');
  await page.getByRole('button', { name: 'Allow' }).click();
  const { access_token: token } = await request.redeem(await site.answer(page));
  assert.doesNotMatch(token, /\./, 'it is opaque');
  assertInvalidToken(await run.gate.list(token));
});

test('a token that was changed is refused', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('bob');
  const { access_token: token } = await app.tokens();
  const [header, , signature] = token.split('.');
  const encode = (/** @type {unknown} */ json) => Buffer.from(JSON.stringify(json)).toString('base64url');
  const more = encode({ ...claimsOf(token), scope: 'read:timesheets create:timesheets admin' });
  assertInvalidToken(await run.gate.add(`${header}.${more}.${signature}`, 'by-changed-token'));
  assertInvalidToken(await run.gate.add(`${encode({ alg: 'none', typ: 'at+jwt' })}.${more}.`, 'by-unsigned-token'));
  assertInvalidToken(await run.gate.list(`${token.slice(0, -4)}AAAA`));
});

test('a machine gets a token of its own, and entries of its own', TEST_TIMEOUT, async () => {
  const token = await run.server.machineToken(run.facts.batch);
  const { sub, gty, azp, scope } = claimsOf(token);
  assert.deepEqual([gty, azp], ['client-credentials', run.facts.batch.client_id]);
  assert.deepEqual(scope.split(' ').sort(), ['create:timesheets', 'read:timesheets']);

  const added = await run.gate.add(token, 'imported');
  assert.equal(added.status, 201);
  assert.equal(added.body.employee, sub);
  assert.deepEqual((await run.gate.list(token)).body, { employee: sub, entries: [added.body] });
  assertInsufficientScope(await run.gate.send('DELETE', added.headers.get('location') ?? '', { token }), 'delete:timesheets');

  const app = await run.browser();
  await app.signIn('alice');
  assert.equal(await app.entry('imported').count(), 0);
});

test('a machine with the wrong secret gets nothing', TEST_TIMEOUT, async () => {
  const wrong = { ...run.facts.batch, client_secret: 'not-the-secret-of-this-client' };
  const { status, body } = await run.server.token({ grant_type: 'client_credentials', ...wrong });
  assert.deepEqual([status, body['error']], [401, 'invalid_client']);
});

test('who somebody is says the token, whatever the headers say', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const { access_token: token } = await app.tokens();
  const spoofed = [{ 'x-auth-sub': 'bob' }, { X_Auth_Sub: 'bob' }, { 'X-Auth_Sub': 'bob', 'x-auth-sub': 'carol' }];
  for (const [index, headers] of spoofed.entries()) {
    const added = await run.gate.add(token, `spoofed-${index}`, /** @type {any} */ (headers));
    assert.deepEqual([added.status, added.body.employee], [201, 'alice'], JSON.stringify(headers));
    const list = await run.gate.send('GET', '/timesheets', { token, headers: /** @type {any} */ (headers) });
    assert.equal(list.body.employee, 'alice');
    assert.equal(list.body.entries.length, index + 1);
  }
  // Without a token the header is nobody's either.
  assert.equal((await run.gate.send('GET', '/timesheets', { headers: { 'x-auth-sub': 'alice' } })).status, 401);
});
