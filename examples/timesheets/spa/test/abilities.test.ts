import assert from 'node:assert/strict';
import { test } from 'node:test';

import { abilities } from '../src/abilities.ts';

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
  for (const [scope, add, remove] of cases) assert.deepEqual(abilities(scope), { add, remove }, scope);
});
