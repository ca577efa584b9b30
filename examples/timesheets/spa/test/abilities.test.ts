import assert from 'node:assert/strict';
import { test } from 'node:test';

import { abilities, requestedScope } from '../src/abilities.ts';

test('buttons follow the granted scope', () => {
  const cases: [string, boolean, boolean][] = [
    ['openid profile email offline_access read:timesheets create:timesheets delete:timesheets', true, true],
    ['openid read:timesheets', false, false],
    ['read:timesheets create:timesheets', true, false],
    ['read:timesheets delete:timesheets', false, true],
    ['admin', false, true],
    ['', false, false],
    // Scopes are compared whole, and with their case (RFC 6749, section 3.3).
    ['create:timesheets2 xdelete:timesheets', false, false],
    ['CREATE:timesheets', false, false],
    ['create:timesheets,delete:timesheets', false, false],
  ];
  for (const [scope, add, remove] of cases) assert.deepEqual(abilities(scope, ''), { add, remove }, scope);
});

test('scopes with the name of the API before them', () => {
  const prefix = 'https://timesheets.example.com/api/';
  const all = requestedScope(['openid', 'email'], prefix);
  assert.equal(all.split(' ').filter((scope) => scope.startsWith(prefix)).length, 3);
  assert.ok(all.startsWith('openid email https://'));
  assert.deepEqual(abilities(all, prefix), { add: true, remove: true });
  assert.deepEqual(abilities('create:timesheets admin', prefix), { add: false, remove: false }, 'the scopes of another API');
});
