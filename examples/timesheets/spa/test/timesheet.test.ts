import assert from 'node:assert/strict';
import { test } from 'node:test';

import { retryAfter } from '../src/problem.ts';
import { addEntry, listEntries, newestFirst, removeEntry, totalHours } from '../src/timesheet.ts';
import { dayInWords, sentence, signInFailure } from '../src/view/words.ts';

const ENTRY = { id: 1, employee: 'alice', date: '2026-03-02', project: 'apollo', hours: 7.5 };
const answering = (value: unknown) => () => Promise.resolve({ kind: 'done' as const, value });

test('answers that keep the contract, and answers that do not', async () => {
  assert.deepEqual(await listEntries(answering({ employee: 'alice', entries: [ENTRY] })), { kind: 'done', value: [ENTRY] });
  assert.deepEqual(await addEntry(answering(ENTRY), ENTRY), { kind: 'done', value: ENTRY });
  assert.deepEqual(await removeEntry(answering(undefined), 1), { kind: 'done', value: undefined });
  for (const value of [null, [], {}, { entries: {} }, { entries: [{ ...ENTRY, id: '1' }] }, { entries: [{ ...ENTRY, date: '2 March' }] }]) {
    assert.equal((await listEntries(answering(value))).kind, 'problem', JSON.stringify(value));
  }
  for (const value of [undefined, null, {}, { ...ENTRY, hours: '7.5' }, { ...ENTRY, project: null }]) {
    assert.equal((await addEntry(answering(value), ENTRY)).kind, 'problem', JSON.stringify(value));
  }
});

test('the total is exact, the order is the newest first', () => {
  const entries = [
    { ...ENTRY, id: 1, date: '2026-03-02', hours: 0.1 },
    { ...ENTRY, id: 3, date: '2026-03-03', hours: 0.2 },
    { ...ENTRY, id: 2, date: '2026-03-03', hours: 0 },
  ];
  assert.equal(totalHours(entries), 0.3);
  assert.equal(totalHours([]), 0);
  assert.deepEqual(newestFirst(entries).map(({ id }) => id), [3, 2, 1]);
});

test('Retry-After in seconds and as a date', () => {
  const now = Date.parse('2026-03-02T10:00:00Z');
  assert.equal(retryAfter('5', now), 5);
  assert.equal(retryAfter(' 5 ', now), 5);
  assert.equal(retryAfter('0', now), 1);
  assert.equal(retryAfter('99999999999', now), 3600);
  assert.equal(retryAfter('Mon, 02 Mar 2026 10:00:30 GMT', now), 30);
  assert.equal(retryAfter('Mon, 02 Mar 2026 09:00:00 GMT', now), 1);
  for (const header of [null, '', 'soon', '1'.repeat(50)]) assert.equal(retryAfter(header, now), undefined, String(header));
});

test('failures in words', () => {
  assert.match(sentence({ kind: 'forbidden', scope: 'create:timesheets', title: 'Insufficient scope' }), /lacks the permission create:timesheets/);
  assert.equal(sentence({ kind: 'signed-out', cause: 'ended' }), 'Your session ended. Sign in again.');
  assert.match(sentence({ kind: 'not-ready', seconds: 5 }), /in 5 seconds/);
  assert.match(sentence({ kind: 'not-ready', seconds: 1 }), /in 1 second\./);
  assert.match(sentence({ kind: 'unreachable', party: 'api', sent: true }), /not known/);
});

test('an error in the address is shown as a code at most', () => {
  assert.equal(signInFailure('access_denied'), 'Signing in was refused or broken off.');
  assert.match(signInFailure('invalid_scope'), /\(invalid_scope\)/);
  for (const code of [undefined, 'Call 555-0100 now', '<b>', 'x'.repeat(41)]) {
    assert.equal(signInFailure(code), 'Signing in did not work. Try again.');
  }
});

test('a day that no calendar has is shown as it came', () => {
  assert.equal(dayInWords('2026-03-02'), 'Mon, 2 Mar 2026');
  assert.equal(dayInWords('2026-13-99'), '2026-13-99');
});
