import assert from 'node:assert/strict';
import { test } from 'node:test';

import { logIn } from '../authorization-server.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite();

test('signing in leads to the login page and back to the timesheet', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.visit();
  await app.part('sign-in').waitFor();
  assert.equal(await app.part('entries').count(), 0);
  await run.picture(app, 'signed-out');

  await app.leaveForLogin();
  const { page } = app;
  assert.equal(await page.getByLabel('Password').getAttribute('type'), 'password');
  await run.picture(app, 'login');
  await logIn(page, 'alice');
  await app.timesheet();

  // Code and state are gone from the address, and so from the history.
  assert.equal(page.url(), `${run.facts.gate}/`);
  await app.part('profile-name').filter({ hasText: 'Alice' }).waitFor();
  assert.equal(await app.part('profile-email').textContent(), 'alice@example.com');
});

test('no token is ever stored where a script finds it later', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  await app.add({ project: 'storage', hours: '1' });
  const tokens = await app.tokens();
  assert.ok(tokens.access_token && tokens.refresh_token && tokens.id_token);

  const stored = await app.stored();
  assert.deepEqual(run.secrets.in(stored), []);
  assert.equal(stored, JSON.stringify([{}, {}, '']), 'nothing at all is stored, and no cookie is readable');
  const databases = await app.page.evaluate(() => indexedDB.databases());
  assert.deepEqual(databases, []);
});

test('a reload forgets the tokens, and signing in again asks for no password', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  await app.page.reload();
  await app.part('sign-in').waitFor();
  assert.equal(await app.part('entries').count(), 0);
  await app.signInAgain();
});

test('a wrong password is refused, and the right one is taken then', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.visit();
  await app.leaveForLogin();
  const { page } = app;
  await logIn(page, 'alice', 'not the password');
  const error = page.getByRole('alert');
  await error.waitFor();
  assert.equal(await error.textContent(), 'Name or password is wrong.');
  assert.equal(await page.getByLabel('Name').inputValue(), 'alice');
  assert.equal(await page.getByLabel('Password').inputValue(), '');
  await run.picture(app, 'login-error');
  await logIn(page, 'alice');
  await app.timesheet();
});

test('who cancels the login is told so by the app', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.visit();
  await app.leaveForLogin();
  await app.page.getByRole('button', { name: 'Cancel' }).click();
  await app.message('Signing in was refused or broken off.');
  assert.equal(app.page.url(), `${run.facts.gate}/`);
});

test('an answer that nobody asked for signs nobody in', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.visit('/?code=somebody-elses-code-of-a-login&state=made-up');
  await app.message('Signing in did not work');
  await app.part('sign-in').waitFor();
  assert.equal(app.page.url(), `${run.facts.gate}/`);
  assert.deepEqual(app.exchanges.filter(({ path }) => path === '/oauth/token'), []);
});

test('signing out ends the session at the authorization server too', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const { refresh_token: refreshToken } = await app.tokens();
  await app.part('sign-out').click();
  await app.part('sign-in').waitFor();
  assert.equal(new URL(app.page.url()).origin, run.facts.gate);

  const { status, body } = await run.server.refresh(refreshToken);
  assert.deepEqual([status, body['error']], [400, 'invalid_grant'], 'the refresh token is good no more');
  // With the session it would lead straight back.
  await app.leaveForLogin();
  await app.page.getByLabel('Password').waitFor();
});

test('the back button shows nothing of who signed out', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  await app.add({ project: 'left-behind', hours: '2' });
  await app.part('sign-out').click();
  await app.part('sign-in').waitFor();
  await app.page.goBack();
  await app.page.waitForLoadState();
  assert.equal(await app.page.getByText('left-behind').count(), 0);
});
