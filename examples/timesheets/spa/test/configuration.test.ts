import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chooseApi, fetchConfiguration, InvalidConfiguration, parseConfiguration } from '../src/configuration.ts';

const VALID = {
  issuer: 'http://127.0.0.1:9101/',
  client_id: 'timesheets-spa',
  audience: 'https://timesheets.example.com/api',
  apis: { 'same-origin': '', 'two-origins': 'http://127.0.0.1:8081/' },
};

/** The error that the valid file with these changes leads to. */
function refused(changes: Record<string, unknown>, expected: RegExp): void {
  assert.throws(
    () => parseConfiguration({ ...VALID, ...changes }),
    (error) => error instanceof InvalidConfiguration && expected.test(error.message),
    JSON.stringify(changes),
  );
}

test('a valid file', () => {
  const { issuer, clientId, audience, openidScopes, scopePrefix, apis } = parseConfiguration(VALID);
  assert.deepEqual(openidScopes, ['openid', 'profile', 'email', 'offline_access']);
  assert.equal(scopePrefix, '');
  assert.equal(issuer, 'http://127.0.0.1:9101/', 'the slash at the end stays: the issuer is compared byte for byte');
  assert.equal(clientId, 'timesheets-spa');
  assert.equal(audience, 'https://timesheets.example.com/api');
  assert.deepEqual([...apis], [['same-origin', ''], ['two-origins', 'http://127.0.0.1:8081']]);
  parseConfiguration({ ...VALID, issuer: 'https://tenant.eu.auth0.com/', client_id: 'made-on-the-fly', apis: { 'same-origin': '' } });
  const prefixed = { ...VALID, openid_scopes: ['openid'], scope_prefix: 'api://0a1b/', endpoint_origins: ['https://login.example.com', 'http://[::1]:9101'] };
  assert.equal(parseConfiguration(prefixed).scopePrefix, 'api://0a1b/');
  assert.deepEqual(parseConfiguration(prefixed).openidScopes, ['openid']);
});

test('what is wrong is named', () => {
  for (const json of [null, [], 'text', 1]) assert.throws(() => parseConfiguration(json), /must be an object/);
  for (const member of ['issuer', 'client_id', 'audience']) {
    for (const value of [undefined, '', 1, 'x'.repeat(2049)]) refused({ [member]: value }, new RegExp(`“${member}” must be a text`));
  }
  refused({ clientid: 'x' }, /unknown member “clientid”/);
  for (const scope_prefix of [null, 1, 'two words', 'a"', 'x'.repeat(2049)]) refused({ scope_prefix }, /“scope_prefix” must be/);
  for (const openid_scopes of [null, 'openid', ['email'], ['openid', ''], ['openid', 'a b'], ['openid', 1], Array.from({ length: 17 }, () => 'openid')]) {
    refused({ openid_scopes }, /“openid_scopes” must be a list/);
  }
  for (const endpoint_origins of [null, 'https://a.example', Array.from({ length: 17 }, () => 'https://a.example')]) {
    refused({ endpoint_origins }, /“endpoint_origins” must be a list/);
  }
  refused({ endpoint_origins: [1] }, /“endpoint_origins” must be a text/);
  for (const origin of ['https://a.example/', 'https://a.example/b', 'https://a.example:443', 'https://A.example']) {
    refused({ endpoint_origins: [origin] }, /“endpoint_origins” must hold origins/);
  }
  refused({ endpoint_origins: ['http://a.example'] }, /“endpoint_origins” must be an https address/);
  refused({ apis: undefined }, /“apis” must be/);
  refused({ apis: [] }, /“apis” must be/);
  refused({ apis: { 'two-origins': 'https://a.example' } }, /must have “same-origin”/);
  refused({ apis: { 'same-origin': 1 } }, /“apis\.same-origin” must be a text/);
  refused({ apis: Object.fromEntries(Array.from({ length: 17 }, (_, n) => [n === 0 ? 'same-origin' : `n${n}`, ''])) }, /more than 16/);
});

test('addresses to which no token may go', () => {
  for (const address of [
    'http://timesheets.example.com',
    'http://127.0.0.1.example.com/',
    'http://localhost.example.com/',
    'javascript:alert(1)',
    'data:text/plain,x',
    '//timesheets.example.com',
    'https://user:secret@timesheets.example.com/',
    'https://timesheets.example.com/?a=b',
    'https://timesheets.example.com/#a',
    'https://timesheets.example.com/?',
  ]) {
    refused({ issuer: address }, /“issuer” must be an https address/);
    refused({ apis: { 'same-origin': '', other: address } }, /“apis\.other” must be an https address/);
  }
});

test('an API is chosen by a name that the file has, never by an address', () => {
  const configuration = parseConfiguration(VALID);
  assert.deepEqual(chooseApi(configuration, undefined), { name: 'same-origin', base: '' });
  assert.deepEqual(chooseApi(configuration, 'two-origins'), { name: 'two-origins', base: 'http://127.0.0.1:8081' });
  for (const name of ['', 'http://127.0.0.1:8081', 'https://thief.example', '__proto__', 'constructor', 'TWO-ORIGINS']) {
    assert.throws(() => chooseApi(configuration, name), /There is no API named .*same-origin, two-origins/, name);
  }
});

test('fetching the file', async () => {
  const from = (response: Response | Error) =>
    fetchConfiguration('/app/config.json', () => (response instanceof Error ? Promise.reject(response) : Promise.resolve(response)));

  assert.equal((await from(Response.json(VALID))).clientId, 'timesheets-spa');
  await assert.rejects(from(new Response('', { status: 404 })), /\/app\/config\.json cannot be had: status 404/);
  await assert.rejects(from(new TypeError('refused')), /cannot be reached/);
  await assert.rejects(from(new Response('<!doctype html>')), /is not JSON/);
  await assert.rejects(from(Response.json({ ...VALID, audience: 'x'.repeat(20_000) })), /longer than 16384 bytes/);
});
