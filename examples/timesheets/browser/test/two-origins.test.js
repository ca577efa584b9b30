import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { expiry } from '../authorization-server.js';
import { ClientSite } from '../client-site.js';
import { HOST } from '../example.js';
import { Gate } from '../gate.js';
import { suite, TEST_TIMEOUT } from '../suite.js';

const skip = HOST === 'spin' ? 'on Spin the gate serves one origin' : false;

describe('the app and the API on two origins', { skip }, () => {
  // A suite that is skipped runs its hooks all the same.
  if (skip) return;
  const run = suite({ accessTokenSeconds: 4 });

  /** @type {ClientSite} */
  let stranger;
  before(async () => (stranger = await ClientSite.start()));
  after(() => stranger?.stop());

  const second = () => new Gate(String(run.facts.two_origins), run.secrets);
  const preflight = (/** @type {string} */ origin) =>
    second().send('OPTIONS', '/timesheets', {
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization,content-type' },
    });

  test('listing, adding, removing and renewing work as on one', TEST_TIMEOUT, async () => {
    const app = await run.browser();
    await app.signIn('alice', '/?api=two-origins');
    assert.equal(await app.part('api-name').textContent(), 'two-origins');
    await app.add({ date: '2026-03-02', project: 'across', hours: '7.5' });
    await run.picture(app, 'two-origins');

    const old = await app.tokens();
    await expiry(old.access_token);
    // The challenge has to be readable for that: a browser hides it unless it is exposed.
    await app.remove('across');
    assert.notEqual((await app.tokens()).access_token, old.access_token);
    const { gate, two_origins: api } = run.facts;
    assert.notEqual(gate, api);
  });

  test('a script of the app can read why it was refused', TEST_TIMEOUT, async () => {
    const app = await run.browser();
    await app.signIn('bob', '/?api=two-origins');
    const { access_token: token } = await app.tokens();
    const url = `${run.facts.two_origins}/timesheets`;
    // Renewed first should it have expired meanwhile: a 403 is only said to a token in force.
    const forbidden = await app.fetch(url, { method: 'POST', token, json: { date: '2026-03-02', project: 'forced', hours: 1 } });
    assert.deepEqual([forbidden.status, forbidden.challenge], [403, 'Bearer realm="timesheets", error="insufficient_scope", scope="create:timesheets"']);
    await expiry(token);
    const expired = await app.fetch(url, { token });
    assert.equal(expired.status, 401);
    assert.match(expired.challenge, /error="invalid_token", error_description="The access token expired"/);
  });

  test('a preflight of the app passes without a token', TEST_TIMEOUT, async () => {
    const { status, headers } = await preflight(run.facts.gate);
    assert.equal(status, 200);
    assert.equal(headers.get('access-control-allow-origin'), run.facts.gate);
    assert.match(headers.get('access-control-allow-methods') ?? '', /\bPOST\b/);
    assert.match(headers.get('access-control-allow-headers') ?? '', /\bauthorization\b/);
    assert.equal(headers.get('access-control-allow-credentials'), null, 'no cookies go along');
  });

  test('another origin gets no CORS headers, and its scripts no answer', TEST_TIMEOUT, async () => {
    const ofCors = (/** @type {Headers} */ headers) => [...headers.keys()].filter((name) => name.startsWith('access-control-'));
    assert.deepEqual(ofCors((await preflight(stranger.origin)).headers), []);
    const list = await second().send('GET', '/timesheets', { headers: { origin: stranger.origin } });
    assert.equal(list.status, 401);
    assert.deepEqual(ofCors(list.headers), []);

    const app = await run.browser();
    await app.signIn('alice');
    const { access_token: token } = await app.tokens();
    await app.page.goto(stranger.origin);
    await assert.rejects(app.fetch(`${run.facts.two_origins}/timesheets`, { token }), /Failed to fetch/);
    await assert.rejects(app.fetch(`${run.facts.gate}/timesheets`, { token }), /Failed to fetch/);
  });
});
