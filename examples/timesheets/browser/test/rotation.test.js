import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';

import { claimsOf, expiry, kidOf } from '../authorization-server.js';
import { assertInvalidToken } from '../gate.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

// A token has to outlive a rotation, and a test has to outlive a token.
const run = suite({ accessTokenSeconds: 10 });

/** The cool-down of the tests' policy: an unknown key is asked for once in that time. */
const COOLDOWN_MS = 1100;

test('a new signing key is met by whoever is signed in at the next renewal', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('alice');
  const old = await app.tokens();
  const kids = await run.server.rotate();
  assert.ok(kids.includes(kidOf(old.access_token)), 'the old key is still published');

  await app.add({ project: 'before-renewal', hours: '1' });
  await expiry(old.access_token);
  const draft = { date: '2026-03-02', project: 'after-renewal', hours: '2' };
  await app.type(draft);
  await app.part('add-submit').click();
  await app.entry('after-renewal').waitFor();
  const renewed = await app.tokens();
  assert.notEqual(kidOf(renewed.access_token), kidOf(old.access_token));
  assert.equal((await run.gate.list(renewed.access_token)).status, 200);
});

test('a key that is taken back takes its tokens along, and the app renews by itself', TEST_TIMEOUT, async () => {
  const app = await run.browser();
  await app.signIn('carol');
  const old = await app.tokens();
  await sleep(COOLDOWN_MS);
  const kids = await run.server.rotate({ drop: true });
  assert.equal(kids.length, 1);
  // The first token of the new key has the gate look at the keys again.
  const machine = await run.server.machineToken(run.facts.batch);
  assert.equal(kidOf(machine), kids[0]);
  assert.equal((await run.gate.list(machine)).status, 200);

  const refused = await run.gate.list(old.access_token);
  assert.ok(claimsOf(old.access_token)['exp'] * 1000 > Date.now(), 'it would still be good');
  assertInvalidToken(refused);
  await app.add({ project: 'with-the-new-key', hours: '1' });
  assert.equal(kidOf((await app.tokens()).access_token), kids[0]);
});
