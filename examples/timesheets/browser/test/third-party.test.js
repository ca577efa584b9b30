import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { claimsOf, logIn } from '../authorization-server.js';
import { ClientSite } from '../client-site.js';
import { assertInsufficientScope, AUDIENCE } from '../gate.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite();

/** @type {ClientSite} */
let site;
before(async () => (site = await ClientSite.start()));
after(() => site?.stop());

const SCOPE = 'openid read:timesheets create:timesheets delete:timesheets';

/**
 * A client that registers itself on the fly, and sends somebody to the authorization server.
 *
 * @param {string} name
 */
async function registered(name) {
  const clientId = await run.server.register(name, site.redirectUri);
  const request = run.server.request({ clientId, redirectUri: site.redirectUri, scope: SCOPE, audience: AUDIENCE });
  return { clientId, ...request };
}

test('a client that registered itself gets what was ticked, and no more', TEST_TIMEOUT, async () => {
  const client = await registered('Hours to charts');
  const app = await run.browser();
  const { page } = app;
  await page.goto(client.url);
  await page.getByText('Nobody has checked who is behind it.').waitFor();
  await logIn(page, 'alice');

  await page.getByRole('heading', { name: 'Allow Hours to charts?' }).waitFor();
  assert.deepEqual(await page.getByRole('checkbox', { checked: true }).count(), 4);
  await page.getByRole('checkbox', { name: 'create:timesheets' }).uncheck();
  await page.getByRole('checkbox', { name: 'delete:timesheets' }).uncheck();
  await run.picture(app, 'consent');
  await page.getByRole('button', { name: 'Allow' }).click();
  const tokens = await client.redeem(await site.answer(page));

  const claims = claimsOf(tokens.access_token);
  assert.equal(claims['azp'], client.clientId);
  assert.equal(claims['sub'], 'alice');
  assert.equal(claims['scope'].split(' ').filter((/** @type {string} */ one) => one.includes(':')).join(' '), 'read:timesheets');
  assert.equal((await run.gate.list(tokens.access_token)).status, 200);
  assertInsufficientScope(await run.gate.add(tokens.access_token, 'charted'), 'create:timesheets');
  assertInsufficientScope(await run.gate.send('DELETE', '/timesheets/1', { token: tokens.access_token }), 'delete:timesheets');
});

test('a client that registered itself has no part in what a person may beyond scopes', TEST_TIMEOUT, async () => {
  const client = await registered('Report reader');
  const { page } = await run.browser();
  await page.goto(client.url);
  await logIn(page, 'carol');
  await page.getByRole('button', { name: 'Allow' }).click();
  const { access_token: token } = await client.redeem(await site.answer(page));
  // Carol is an auditor. That is hers, and not something she could have ticked.
  assert.equal(claimsOf(token)['roles'], undefined);
  assert.equal((await run.gate.list(token)).status, 200);
  assert.equal((await run.gate.send('GET', '/reports/hours', { token })).status, 403);
});

test('who denies is denied nothing else, and the client gets no code', TEST_TIMEOUT, async () => {
  const client = await registered('Hours to nowhere');
  const app = await run.browser();
  await app.signIn('alice');
  // The session is there, so the first page is the question.
  await app.page.goto(client.url);
  await app.page.getByRole('button', { name: 'Deny' }).click();
  const answer = await site.answer(app.page);
  assert.equal(answer.get('error'), 'access_denied');
  assert.equal(answer.get('code'), null);
  await app.visit();
  await app.signInAgain();
});

test('each request of such a client is asked about', TEST_TIMEOUT, async () => {
  const client = await registered('Once is not always');
  const { page } = await run.browser();
  await page.goto(client.url);
  await logIn(page, 'alice');
  await page.getByRole('button', { name: 'Allow' }).click();
  await site.answer(page);
  await page.goto(client.url);
  await page.getByRole('heading', { name: 'Allow Once is not always?' }).waitFor();
});
