import assert from 'node:assert/strict';
import { test } from 'node:test';

import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite();

test('an entry that is added is there after a reload, and gone once it is removed', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  assert.equal(await app.part('entry').count(), 0);
  assert.equal(await app.part('total').textContent(), '0 h');

  await app.add({ date: '2026-03-02', project: 'apollo', hours: '7.5' });
  await app.message('Added 7.5 h for apollo');
  await app.add({ date: '2026-03-03', project: 'gemini', hours: '0.25' });
  assert.deepEqual(await app.part('entry').allInnerTexts().then(lines), ['Tue, 3 Mar 2026 gemini 0.25 h', 'Mon, 2 Mar 2026 apollo 7.5 h']);
  assert.equal(await app.part('total').textContent(), '7.75 h');
  await run.picture(app, 'timesheet');

  await app.page.reload();
  await app.signInAgain();
  assert.equal(await app.part('entry').count(), 2);

  await app.remove('apollo');
  await app.message('Removed the entry for apollo');
  assert.equal(await app.part('total').textContent(), '0.25 h');
  await app.page.reload();
  await app.signInAgain();
  assert.deepEqual(await app.part('entry').allInnerTexts().then(lines), ['Tue, 3 Mar 2026 gemini 0.25 h']);
});

test('who keeps an entry in the dialog keeps it', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  await app.add({ project: 'kept', hours: '1' });
  await app.entry('kept').getByTestId('entry-remove').click();
  await run.picture(app, 'removal');
  await app.part('remove-cancel').click();
  await app.part('remove-dialog').waitFor({ state: 'detached' });
  assert.equal(await app.entry('kept').count(), 1);
  assert.deepEqual(app.exchanges.filter(({ method }) => method === 'DELETE'), []);
});

test('one person does not see or remove the entries of another', TEST_TIMEOUT, async () => {
  const alice = await run.browser();
  await alice.signIn('alice');
  await alice.add({ project: 'secret-of-alice', hours: '3' });
  const id = await alice.entry('secret-of-alice').getAttribute('data-entry-id');

  // Carol may remove entries too, and is an auditor: these are still not hers.
  const carol = await run.browser();
  await carol.signIn('carol');
  assert.equal(await carol.part('entry').count(), 0);
  const { access_token: token } = await carol.tokens();
  const removal = await carol.fetch(`/timesheets/${id}`, { method: 'DELETE', token });
  assert.equal(removal.status, 404);
  assert.deepEqual((await run.gate.list(token)).body, { employee: 'carol', entries: [] });

  await alice.page.reload();
  await alice.signInAgain();
  assert.equal(await alice.entry('secret-of-alice').count(), 1);
});

test('what the API finds wrong stands beside the field, and what was typed stays', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const entry = { date: '1999-12-31', project: 'apollo', hours: '7.5' };
  await app.type(entry);
  await app.part('add-submit').click();
  await app.part('error-date').filter({ hasText: /\w/ }).waitFor();
  assert.equal(await app.part('error-project').textContent(), '');
  assert.equal(await app.part('error-hours').textContent(), '');
  assert.equal(await app.part('add-date').getAttribute('aria-invalid'), 'true');
  assert.deepEqual(await app.typed(), entry);
  await run.picture(app, 'invalid-entry');

  await app.part('add-date').fill('2026-03-04');
  await app.part('add-submit').click();
  await app.message('Added 7.5 h for apollo on Wed, 4 Mar 2026.');
  assert.equal(await app.part('error-date').textContent(), '');
});

test('markup in an entry is text', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const project = '<img src=x onerror=alert(1)>';
  await app.add({ project, hours: '1' });
  assert.equal(await app.entry(project).locator('img').count(), 0);
});

test('an API that does not answer is told, and the list comes back', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.visit();
  await app.page.route('**/timesheets', (route) => route.abort('connectionrefused'));
  await app.leaveForLogin();
  await app.page.getByLabel('Name').fill('alice');
  await app.page.getByLabel('Password').fill('timesheets');
  await app.page.keyboard.press('Enter');
  await app.message('The timesheets service cannot be reached.');
  await run.picture(app, 'api-unavailable');
  await app.page.unroute('**/timesheets');
  await app.part('message-action').click();
  await app.timesheet();
});

/** @param {string[]} texts */
function lines(texts) {
  return texts.map((text) => text.replace(/\s+/g, ' ').trim());
}
