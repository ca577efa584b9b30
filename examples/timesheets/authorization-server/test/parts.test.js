import assert from 'node:assert/strict';
import test from 'node:test';

import { Accounts, Busy } from '../accounts.js';
import { Attempts } from '../attempts.js';
import { journalTo } from '../journal.js';
import { html, show } from '../pages/page.js';
import { known, permitted } from '../scopes.js';
import { Shelf, Store } from '../store.js';

test('a client of somebody else never gets admin, also of a person who may', () => {
  const administrator = { permissions: ['read:timesheets', 'admin'] };
  const asked = known('openid read:timesheets create:timesheets admin unknown');
  assert.deepEqual(permitted(asked, administrator, true), ['openid', 'read:timesheets', 'admin']);
  assert.deepEqual(permitted(asked, administrator, false), ['openid', 'read:timesheets']);
});

test('failed passwords are forgotten after a minute', () => {
  const attempts = new Attempts();
  for (let now = 0; now < 5; now += 1) {
    assert.equal(attempts.wait('alice', now), 0);
    attempts.failed('alice', now);
  }
  assert.equal(attempts.wait(' ALICE', 5), 55);
  assert.equal(attempts.wait('bob', 5), 0);
  assert.equal(attempts.wait('alice', 60), 0);
  attempts.failed('alice', 60);
  assert.equal(attempts.wait('alice', 61), 0);
});

test('a hundred failures stop all names, and memory is bounded', () => {
  const attempts = new Attempts();
  for (let i = 0; i < 100; i += 1) {
    assert.equal(attempts.wait('alice', 0), 0);
    attempts.failed(`name-${i}`, 0);
  }
  assert.equal(attempts.wait('alice', 1), 59);
  for (let i = 0; i < 5000; i += 1) {
    attempts.failed(`name-${i}`, 1);
  }
  assert.ok(attempts.size <= 1000);
  assert.equal(attempts.wait('alice', 1), 59);
});

test('a shelf forgets what is over, and the oldest when it is full', () => {
  const shelf = new Shelf('Session', 2);
  shelf.put('a', { uid: 'ua' }, 10, 0);
  assert.deepEqual(shelf.find('a', 9_999), { uid: 'ua' });
  assert.deepEqual(shelf.findByUid('ua', 9_999), { uid: 'ua' });
  assert.equal(shelf.find('a', 10_000), undefined);
  assert.equal(shelf.findByUid('ua', 0), undefined);

  shelf.put('a', {}, 100, 0);
  shelf.put('b', {}, 10, 0);
  shelf.put('c', {}, 100, 20_000);
  // The one that was over made room.
  assert.deepEqual([...'abc'].filter((id) => shelf.find(id, 20_000)), ['a', 'c']);
  shelf.put('d', {}, 100, 20_000);
  assert.deepEqual([...'abcd'].filter((id) => shelf.find(id, 20_000)), ['c', 'd']);
  assert.equal(shelf.size, 2);
});

test('what belongs to a grant ends with it', () => {
  const shelf = new Shelf('RefreshToken', 10);
  shelf.put('a', { grantId: 'one' }, 10, 0);
  shelf.put('b', { grantId: 'one' }, 10, 0);
  shelf.put('c', { grantId: 'two' }, 10, 0);
  shelf.removeOfGrant('one');
  assert.deepEqual([...'abc'].filter((id) => shelf.find(id, 0)), ['c']);
});

test('what is used a second time at once ends its grant', async () => {
  const store = new Store();
  const tokens = store.adapter('RefreshToken');
  const grants = store.adapter('Grant');
  await grants.upsert('grant', {}, 10);
  await tokens.upsert('first', { grantId: 'grant' }, 10);
  await tokens.upsert('second', { grantId: 'grant' }, 10);
  await tokens.consume('first');
  assert.ok(await grants.find('grant'));
  await assert.rejects(async () => tokens.consume('first'), { error: 'invalid_grant' });
  assert.equal(await grants.find('grant'), undefined);
  assert.equal(await tokens.find('second'), undefined);
});

test('not more than eight passwords are compared at a time', async () => {
  const accounts = await Accounts.open();
  const asked = Array.from({ length: 9 }, () => accounts.authenticate('alice', 'timesheets'));
  const answers = await Promise.allSettled(asked);
  assert.deepEqual(answers.map(({ status }) => status), [...Array(8).fill('fulfilled'), 'rejected']);
  assert.ok(answers[8]?.status === 'rejected' && answers[8].reason instanceof Busy);
  assert.equal((await accounts.authenticate('alice', 'timesheets'))?.id, 'alice');
  assert.equal(await accounts.authenticate('', ''), undefined);
});

test('what is put into a page is escaped', () => {
  const inner = html`<b>${'"'}</b>`;
  assert.equal(html`<p title="${'"><script>'}">${[inner, '&', false]}</p>`.text, '<p title="&#34;&#62;&#60;script&#62;"><b>&#34;</b>&#38;</p>');
});

test('no host is written into a header that is more than a host', () => {
  const ctx = { headers: /** @type {Record<string, string>} */ ({}), set: (/** @type {{}} */ headers) => Object.assign(ctx.headers, headers) };
  const formTargets = ['https://a;sandbox/cb', 'https://*/cb', 'https://a,b/cb', 'javascript:alert(1)', 'nowhere', undefined, 'https://app.example.com/cb'];
  show(/** @type {any} */ (ctx), { title: '', body: html``, formTargets });
  assert.ok(ctx.headers['content-security-policy']?.includes("; form-action 'self' https://app.example.com;"), JSON.stringify(ctx.headers));
});

test('a decision is one line, whatever a name holds', () => {
  let log = '';
  journalTo({ write: (text) => (log += text) })({ event: 'token', client: 'a\nevent=token outcome=granted', error: undefined });
  assert.match(log, /^\S+ event=token client="a\\nevent=token outcome=granted"\n$/);
});
