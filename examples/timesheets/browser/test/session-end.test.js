import assert from 'node:assert/strict';
import { test } from 'node:test';

import { expiry } from '../authorization-server.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite({ accessTokenSeconds: 4 });

let robberies = 0;

/**
 * Somebody signed in whose refresh token of before is used a second time, by a thief as it seems.
 *
 * @param {string} name
 */
async function robbed(name) {
  robberies += 1;
  const app = await run.browser();
  await app.signIn(name);
  const first = await app.tokens();
  await expiry(first.access_token);
  await app.add({ project: `renewed-${robberies}`, hours: '1' });
  const second = await app.tokens();
  assert.notEqual(second.refresh_token, first.refresh_token);

  const { status, body } = await run.server.refresh(first.refresh_token);
  assert.deepEqual([status, body['error']], [400, 'invalid_grant']);
  return { app, tokens: second };
}

test('a refresh token used twice ends the session, and what was typed is back after signing in', TEST_TIMEOUT, async () => {
  const { app, tokens } = await robbed('alice');
  const draft = { date: '2026-03-02', project: 'unsent', hours: '6.5' };
  await app.type(draft);
  await expiry(tokens.access_token);
  await app.part('add-submit').click();
  await app.message('Your session ended. Sign in again.');
  assert.equal(await app.part('entries').count(), 0);
  await run.picture(app, 'session-ended');
  const stored = await app.stored();
  assert.deepEqual(run.secrets.in(stored), [], 'the draft is kept without tokens');
  assert.match(stored, /unsent/);

  await app.signInAgain();
  await app.message('What you had typed is back in the form.');
  assert.deepEqual(await app.typed(), draft);
  await app.part('add-submit').click();
  await app.entry('unsent').waitFor();
  assert.doesNotMatch(await app.stored(), /unsent/);
});

test('the thief is left with nothing either', TEST_TIMEOUT, async () => {
  const { tokens } = await robbed('carol');
  const { status, body } = await run.server.refresh(tokens.refresh_token);
  assert.deepEqual([status, body['error']], [400, 'invalid_grant'], 'the newer token ended with the older one');
});

test('what one person typed is not shown to the next', TEST_TIMEOUT, async () => {
  const { app, tokens } = await robbed('alice');
  await app.type({ project: 'for-alices-eyes', hours: '1' });
  await expiry(tokens.access_token);
  await app.part('add-submit').click();
  await app.message('Your session ended.');
  // The next person at this machine logs in instead.
  await app.page.context().clearCookies();
  await app.leaveForLogin();
  await app.page.getByLabel('Name').fill('carol');
  await app.page.getByLabel('Password').fill('timesheets');
  await app.page.keyboard.press('Enter');
  await app.timesheet();
  assert.equal((await app.typed()).project, '');
  assert.doesNotMatch(await app.stored(), /for-alices-eyes/);
});
