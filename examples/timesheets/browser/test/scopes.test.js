import assert from 'node:assert/strict';
import { test } from 'node:test';

import { assertInsufficientScope } from '../gate.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite();

test('who may only read sees no form and no buttons', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('bob');
  assert.equal(await app.part('add-form').isVisible(), false);
  const { scope, access_token: token } = await app.tokens();
  assert.deepEqual(scope.split(' ').filter((one) => one.includes(':')), ['read:timesheets'], 'granted, not asked for');
  await run.picture(app, 'read-only');

  const answer = await app.fetch('/timesheets', { method: 'POST', token, json: { date: '2026-03-02', project: 'forced', hours: 1 } });
  assert.deepEqual(answer, {
    status: 403,
    challenge: 'Bearer realm="timesheets", error="insufficient_scope", scope="create:timesheets"',
    body: { title: 'Insufficient scope', status: 403 },
  });
  assertInsufficientScope(await run.gate.add(token, 'forced'), 'create:timesheets');
  assertInsufficientScope(await run.gate.send('DELETE', '/timesheets/1', { token }), 'delete:timesheets');
  assert.deepEqual((await run.gate.list(token)).body, { employee: 'bob', entries: [] });
});

test('a 403 is told in words, and what was typed stays', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('bob');
  // A form that should not be there: somebody changed the page, or what they may was changed meanwhile.
  await app.part('add-form').evaluate((form) => form.removeAttribute('hidden'));
  const entry = { date: '2026-03-02', project: 'forced', hours: '4' };
  await app.type(entry);
  await app.part('add-submit').click();
  await app.message('You may not do this: your sign-in lacks the permission create:timesheets.');
  assert.deepEqual(await app.typed(), entry);
  assert.equal(await app.part('profile-name').count(), 1, 'still signed in');
  assert.deepEqual(app.exchanges.filter(({ path }) => path === '/oauth/token').length, 1, 'a 403 is no reason to renew');
  await run.picture(app, 'forbidden');
});

test('reports are for auditors: a claim decides, not a scope', TEST_TIMEOUT, async () => {
  const alice = await run.browser();
  await alice.signIn('alice');
  await alice.add({ project: 'audited', hours: '2.5' });
  const carol = await run.browser();
  await carol.signIn('carol');

  const refused = await run.gate.send('GET', '/reports/hours', { token: (await alice.tokens()).access_token });
  assert.equal(refused.status, 403);
  assert.equal(refused.challenge, 'Bearer realm="timesheets", error="insufficient_scope"', 'no scope would help');
  const report = await run.gate.send('GET', '/reports/hours', { token: (await carol.tokens()).access_token });
  assert.deepEqual(report.body, { employee: 'carol', hours: { audited: 2.5 } });
});

test('what no route names is refused, for the best of tokens', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('carol');
  const { access_token: token } = await app.tokens();
  for (const [method, path] of [['GET', '/admin'], ['PUT', '/timesheets'], ['GET', '/timesheets/1'], ['POST', '/app/config.json']]) {
    const { status, body } = await run.gate.send(String(method), String(path), { token });
    assert.deepEqual([status, body], [403, { title: 'Forbidden', status: 403 }], `${method} ${path}`);
  }
});
