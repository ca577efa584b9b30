import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expiry } from '../authorization-server.js';
import { assertInvalidToken } from '../gate.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

// Long enough to sign in and look around on a busy machine; what is sent a moment later is renewed either way.
const run = suite({ accessTokenSeconds: 4 });

test('an expired token is renewed, and what was typed is sent', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  await app.type({ date: '2026-03-02', project: 'apollo', hours: '7.5' });
  const old = await app.tokens();
  await expiry(old.access_token);
  assertInvalidToken(await run.gate.list(old.access_token), { expired: true });

  const before = app.exchanges.length;
  await app.part('add-submit').click();
  await app.message('Added 7.5 h for apollo');
  assert.deepEqual(app.exchanges.slice(before).map(({ method, path, status }) => `${status} ${method} ${path}`), [
    '401 POST /timesheets',
    '200 POST /oauth/token',
    '201 POST /timesheets',
  ]);
  assert.equal(await app.part('entry').count(), 1, 'it was added once');
  const renewed = await app.tokens();
  assert.notEqual(renewed.access_token, old.access_token);
  assert.notEqual(renewed.refresh_token, old.refresh_token, 'refresh tokens rotate');
});

test('a renewal for something else leaves the form alone', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('carol');
  await app.add({ project: 'soon-gone', hours: '1' });
  const draft = { date: '2026-03-05', project: 'half-typed', hours: '2' };
  await app.type(draft);
  const old = await app.tokens();
  await expiry(old.access_token);
  await app.remove('soon-gone');
  assert.notEqual((await app.tokens()).access_token, old.access_token);
  assert.deepEqual(await app.typed(), draft);
  await app.part('add-submit').click();
  await app.entry('half-typed').waitFor();
});

test('an authorization server that does not answer ends nothing', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const draft = { date: '2026-03-06', project: 'patient', hours: '3' };
  await app.type(draft);
  await expiry((await app.tokens()).access_token);
  await app.page.route('**/oauth/token', (route) => route.abort('connectionrefused'));
  await app.part('add-submit').click();
  await app.message('Your access ran out, and the sign-in service did not answer.');
  assert.deepEqual(await app.typed(), draft);
  await run.picture(app, 'renewal-unavailable');
  await app.page.unroute('**/oauth/token');
  await app.part('message-action').click();
  await app.entry('patient').waitFor();
});
