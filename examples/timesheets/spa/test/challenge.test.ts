import assert from 'node:assert/strict';
import { test } from 'node:test';

import { bearerChallenge, challenges } from '../src/challenge.ts';

/** What a header is read as: one line per challenge, or `malformed`. */
function check(header: string, expected: string): void {
  const read = challenges(header)?.map(({ scheme, parameters }) =>
    [scheme, ...[...parameters].map(([name, value]) => `${name}=<${value}>`)].join(' '),
  );
  assert.equal(read?.join('\n') ?? 'malformed', expected, header);
}

test('the challenges of the gate', () => {
  check('Bearer realm="timesheets"', 'bearer realm=<timesheets>');
  check(
    'Bearer realm="timesheets", error="invalid_token", error_description="The access token expired"',
    'bearer realm=<timesheets> error=<invalid_token> error_description=<The access token expired>',
  );
  check(
    'Bearer realm="timesheets", error="insufficient_scope", scope="create:timesheets"',
    'bearer realm=<timesheets> error=<insufficient_scope> scope=<create:timesheets>',
  );
});

test('what the grammar allows', () => {
  check('', '');
  check('Negotiate', 'negotiate');
  check('Negotiate YWJj+/==', 'negotiate');
  check('bEaReR Error=invalid_token', 'bearer error=<invalid_token>');
  check('Bearer a = b ,\tc\t=\t"d"', 'bearer a=<b> c=<d>');
  check('Bearer a=b,, ,c=d,', 'bearer a=<b> c=<d>');
  check('Basic realm="x", Bearer error=e, scope="s t", DPoP algs="ES256"', 'basic realm=<x>\nbearer error=<e> scope=<s t>\ndpop algs=<ES256>');
  check('Basic, Bearer a=b', 'basic\nbearer a=<b>');
});

test('a quoted string keeps commas, equals signs and schemes to itself', () => {
  check('Bearer realm="a, error=\\"invalid_token\\"", b=c', 'bearer realm=<a, error="invalid_token"> b=<c>');
  check('Basic realm="x, Bearer error=invalid_token"', 'basic realm=<x, Bearer error=invalid_token>');
  check('Bearer a="\\\\"', 'bearer a=<\\>');
  check('Bearer a=""', 'bearer a=<>');
});

test('what is malformed says nothing', () => {
  for (const header of [
    'Bearer realm="open',
    'Bearer realm="x" error="invalid_token"',
    'Bearer error="invalid_token" scope',
    'Bearer a="b"c',
    'Bearer error=invalid_token, error=other',
    'Bearer error="a", ERROR="b"',
    'error="invalid_token"',
    'Bearer a="x\u0000y"',
    'Bearer a=b;c',
    '"Bearer" a=b',
  ]) {
    check(header, 'malformed');
  }
  check(`Bearer a="${'x'.repeat(4096)}"`, 'malformed');
});

test('the Bearer challenge among others', () => {
  assert.deepEqual(bearerChallenge('Basic realm="x", Bearer error="invalid_token"'), { error: 'invalid_token', scope: undefined });
  assert.deepEqual(bearerChallenge('Bearer error=insufficient_scope, scope="a b"'), { error: 'insufficient_scope', scope: 'a b' });
  assert.equal(bearerChallenge('Basic realm="Bearer error=invalid_token"'), undefined);
  assert.equal(bearerChallenge(null), undefined);
});
