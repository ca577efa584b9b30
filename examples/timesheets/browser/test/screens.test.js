import assert from 'node:assert/strict';
import { test } from 'node:test';

import { logIn } from '../authorization-server.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const run = suite();

const PHONE = { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true, deviceScaleFactor: 2 };

test('everything can be done with the keyboard alone', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  const { keyboard } = app.page;
  await app.visit();
  await app.part('sign-in').waitFor();
  await app.tabTo('[data-testid=sign-in]');
  await keyboard.press('Enter');
  await app.page.getByLabel('Name').waitFor();
  await app.tabTo('[name=name]');
  await keyboard.type('alice');
  await app.tabTo('[name=password]');
  await keyboard.type('timesheets');
  await keyboard.press('Enter');
  await app.timesheet();

  await app.tabTo('[data-testid=add-date]');
  await keyboard.type('03022026');
  await app.tabTo('[data-testid=add-project]');
  await keyboard.type('by-keyboard');
  await app.tabTo('[data-testid=add-hours]');
  await keyboard.type('2.5');
  await keyboard.press('Enter');
  await app.message('Added 2.5 h for by-keyboard on Mon, 2 Mar 2026.');
  assert.equal(await focused(app), 'add-project', 'ready for the next entry');

  await app.tabTo('[data-testid=entry-remove]');
  await run.picture(app, 'keyboard');
  await keyboard.press('Enter');
  await app.part('remove-dialog').waitFor();
  await keyboard.press('Escape');
  await app.part('remove-dialog').waitFor({ state: 'detached' });
  assert.equal(await app.entry('by-keyboard').count(), 1, 'Escape keeps it');
  assert.equal(await focused(app), 'entry-remove', 'and leads back to where it was asked');

  await keyboard.press('Enter');
  await app.tabTo('[data-testid=remove-confirm]');
  await keyboard.press('Enter');
  await app.message('Removed the entry for by-keyboard');
  assert.equal(await app.part('entry').count(), 0);

  await app.tabTo('[data-testid=sign-out]');
  await keyboard.press('Enter');
  await app.part('sign-in').waitFor();
});

test('nothing is wider than a phone', TEST_TIMEOUT, async () => {
  const app = await run.browser(PHONE);
  const { page } = app;
  const assertFits = async (/** @type {string} */ name) => {
    await run.picture(app, `phone-${name}`);
    assert.equal(await app.overflow(), 0, `${name} scrolls sideways`);
  };
  await app.visit();
  await app.part('sign-in').waitFor();
  await assertFits('signed-out');
  await app.leaveForLogin();
  await assertFits('login');
  await logIn(page, 'alice');
  await app.timesheet();
  await app.add({ date: '2026-03-02', project: 'apollo', hours: '7.5' });
  await assertFits('timesheet');
  await app.add({ date: '2026-03-03', project: `an-unbroken-name-${'m'.repeat(83)}`, hours: '24' });
  await assertFits('long-name');
  await app.entry('apollo').getByTestId('entry-remove').tap();
  await app.part('remove-dialog').waitFor();
  await assertFits('removal');
  await app.part('remove-confirm').tap();
  await app.message('Removed the entry for apollo');
});

test('what a finger has to hit is large enough', TEST_TIMEOUT, async () => {
  const app = await run.browser(PHONE);
  await app.signIn('alice');
  await app.add({ project: 'target', hours: '1' });
  for (const id of ['sign-out', 'add-project', 'add-submit', 'entry-remove']) {
    const box = await app.part(id).first().boundingBox();
    // WCAG 2.2, success criterion 2.5.8.
    assert.ok(box && box.width >= 24 && box.height >= 24, `${id}: ${JSON.stringify(box)}`);
  }
});

test('dark where the reader wants it dark', TEST_TIMEOUT, async () => {
  const app = await run.browser({ colorScheme: 'dark' });
  await app.visit();
  await app.leaveForLogin();
  await run.picture(app, 'dark-login');
  assert.ok((await brightness(app)) < 80);
  await logIn(app.page, 'carol');
  await app.timesheet();
  await app.add({ date: '2026-03-02', project: 'apollo', hours: '7.5' });
  await run.picture(app, 'dark');
  assert.ok((await brightness(app)) < 80);
});

/** @param {import('../app-page.js').AppPage} app */
function focused(app) {
  return app.page.evaluate(() => document.activeElement?.getAttribute('data-testid'));
}

/**
 * Of the page's ground, from 0 to 255.
 *
 * @param {import('../app-page.js').AppPage} app
 */
function brightness(app) {
  return app.page.evaluate(() => {
    const ground = [document.body, document.documentElement].map((one) => getComputedStyle(one).backgroundColor);
    const painted = ground.find((color) => color !== 'rgba(0, 0, 0, 0)') ?? 'rgb(255, 255, 255)';
    return Math.max(...(painted.match(/\d+/g) ?? []).slice(0, 3).map(Number));
  });
}
