import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type ApiClient, apiClient } from '../src/api-client.ts';
import type { Renewal, TokenSource } from '../src/renewal.ts';

const EXPIRED = 'Bearer realm="timesheets", error="invalid_token", error_description="The access token expired"';

interface Sent {
  method: string;
  url: string;
  token: string;
  body: unknown;
}

/** A gate that takes the tokens in `good`, and a session whose renewals go as `renewals` says, one after the other. */
class Bench implements TokenSource {
  readonly sent: Sent[] = [];
  readonly good = new Set<string>();
  readonly #renewals: (Renewal | string)[];
  token: string | undefined = 'old';
  renewed = 0;
  answer = (): Response => Response.json({ entries: [] });
  readonly client: ApiClient;

  constructor({ good = [], renewals = [], base = '' }: { good?: string[]; renewals?: (Renewal | string)[]; base?: string }) {
    for (const token of good) this.good.add(token);
    this.#renewals = renewals;
    this.client = apiClient(base, this, (url, init) => this.#gate(String(url), init ?? {}));
  }

  accessToken(): string | undefined {
    return this.token;
  }

  /** `ended` and `unavailable` are results; anything else is the new token. */
  async renew(): Promise<Renewal> {
    const next = this.#renewals[this.renewed] ?? assert.fail('one renewal too many');
    this.renewed += 1;
    await new Promise((resolve) => setTimeout(resolve, 5));
    if (next === 'unavailable') return next;
    this.token = next === 'ended' ? undefined : next;
    return next === 'ended' ? 'ended' : 'renewed';
  }

  async #gate(url: string, init: RequestInit): Promise<Response> {
    const token = (new Headers(init.headers).get('authorization') ?? '').replace(/^Bearer /, '');
    const body: unknown = typeof init.body === 'string' ? JSON.parse(init.body) : undefined;
    this.sent.push({ method: init.method ?? 'GET', url, token, body });
    assert.equal(init.credentials, 'omit');
    await Promise.resolve();
    return this.good.has(token) ? this.answer() : refusal(401, EXPIRED);
  }
}

function refusal(status: number, challenge?: string, headers: Record<string, string> = {}, body: unknown = { title: 'A title', status }): Response {
  const all = new Headers({ 'content-type': 'application/problem+json', ...headers });
  if (challenge !== undefined) all.set('www-authenticate', challenge);
  return new Response(JSON.stringify(body), { status, headers: all });
}

const LIST = { method: 'GET', path: '/timesheets' } as const;
const ADD = { method: 'POST', path: '/timesheets', body: { date: '2026-03-02', project: 'apollo', hours: 7.5 } } as const;

test('a good token needs no renewal', async () => {
  const bench = new Bench({ good: ['old'], base: 'http://127.0.0.1:8081' });
  assert.deepEqual(await bench.client(LIST), { kind: 'done', value: { entries: [] } });
  assert.deepEqual(bench.sent, [{ method: 'GET', url: 'http://127.0.0.1:8081/timesheets', token: 'old', body: undefined }]);
});

test('an expired token is renewed, and the same request sent again', async () => {
  const bench = new Bench({ good: ['new'], renewals: ['new'] });
  assert.equal((await bench.client(ADD)).kind, 'done');
  assert.deepEqual(bench.sent, [
    { method: 'POST', url: '/timesheets', token: 'old', body: ADD.body },
    { method: 'POST', url: '/timesheets', token: 'new', body: ADD.body },
  ]);
});

test('the answer that led to a renewal is read to its end', async () => {
  const bench = new Bench({ good: [], renewals: ['new'] });
  const refused = refusal(401, EXPIRED);
  const answers = [refused, Response.json({})];
  const client = apiClient('', bench, () => Promise.resolve(answers.shift() ?? assert.fail('one request too many')));
  assert.equal((await client(LIST)).kind, 'done');
  assert.equal(refused.bodyUsed, true);
});

test('requests refused together lead to one renewal', async () => {
  const bench = new Bench({ good: ['new'], renewals: ['new'] });
  const outcomes = await Promise.all([LIST, ADD, LIST, ADD].map((request) => bench.client(request)));
  assert.deepEqual(outcomes.map(({ kind }) => kind), ['done', 'done', 'done', 'done']);
  assert.equal(bench.renewed, 1);
  assert.equal(bench.sent.length, 8);
});

test('a refusal that arrives after the renewal leads to no second one', async () => {
  const bench = new Bench({ good: ['new'], renewals: ['new'] });
  // Sent with the old token; the answer comes when another request has led to the new one.
  let release = (): void => assert.fail('not sent');
  const held = new Promise<void>((resolve) => {
    release = resolve;
  });
  const slow = apiClient('', bench, async (_url, init) => {
    if (new Headers(init?.headers).get('authorization') === 'Bearer new') return Response.json({});
    await held;
    return refusal(401, EXPIRED);
  });
  const late = slow(LIST);
  await bench.client(LIST);
  release();
  assert.equal((await late).kind, 'done');
  assert.equal(bench.renewed, 1);
});

test('renewals that do not overlap are two', async () => {
  const bench = new Bench({ good: ['new'], renewals: ['new', 'newer'] });
  await bench.client(LIST);
  bench.good.clear();
  bench.good.add('newer');
  assert.equal((await bench.client(LIST)).kind, 'done');
  assert.equal(bench.renewed, 2);
});

test('a fresh token that is refused ends it: no loop', async () => {
  const bench = new Bench({ renewals: ['new'] });
  assert.deepEqual(await bench.client(LIST), { kind: 'signed-out', cause: 'refused' });
  assert.equal(bench.renewed, 1);
  assert.equal(bench.sent.length, 2);
});

test('a session that ended signs out everybody who waited, and asks no more', async () => {
  const bench = new Bench({ renewals: ['ended'] });
  const outcomes = await Promise.all([bench.client(LIST), bench.client(ADD)]);
  assert.deepEqual(outcomes, Array(2).fill({ kind: 'signed-out', cause: 'ended' }));
  assert.deepEqual(await bench.client(LIST), { kind: 'signed-out', cause: 'ended' });
  assert.equal(bench.renewed, 1);
  assert.equal(bench.sent.length, 2, 'nothing is sent without a token');
});

test('an authorization server that does not answer ends no session', async () => {
  const bench = new Bench({ good: ['new'], renewals: ['unavailable', 'new'] });
  assert.deepEqual(await bench.client(ADD), { kind: 'unreachable', party: 'authorization-server', sent: false });
  assert.equal(bench.token, 'old');
  assert.equal((await bench.client(ADD)).kind, 'done');
});

test('a 401 that is not about the token is no reason to renew', async () => {
  for (const challenge of [
    'Bearer realm="timesheets"',
    'Bearer realm="error=\\"invalid_token\\""',
    'Bearer error="invalid_request"',
    'DPoP error="invalid_token"',
    'Bearer error="invalid_token',
    undefined,
  ]) {
    const bench = new Bench({ good: ['old'] });
    bench.answer = () => refusal(401, challenge);
    assert.deepEqual(await bench.client(LIST), { kind: 'signed-out', cause: 'refused' }, challenge);
    assert.equal(bench.renewed, 0);
  }
});

test('what refusals become', async () => {
  const cases: [Response, unknown][] = [
    [refusal(403, 'Bearer error="insufficient_scope", scope="create:timesheets"'), { kind: 'forbidden', scope: 'create:timesheets', title: 'A title' }],
    [refusal(403), { kind: 'forbidden', scope: undefined, title: 'A title' }],
    [refusal(503, undefined, { 'retry-after': '7' }), { kind: 'not-ready', seconds: 7 }],
    [refusal(503), { kind: 'not-ready', seconds: undefined }],
    [refusal(404), { kind: 'problem', status: 404, title: 'A title' }],
    [
      refusal(422, undefined, {}, { title: 'Not valid', status: 422, errors: [{ field: 'hours', message: 'Too many.' }, { field: 1 }, null] }),
      { kind: 'invalid', title: 'Not valid', errors: [{ field: 'hours', message: 'Too many.' }] },
    ],
    [
      new Response('<h1>Bad gateway</h1>', { status: 502, headers: { 'content-type': 'text/html' } }),
      { kind: 'problem', status: 502, title: 'The timesheets service answered with status 502.' },
    ],
    [new Response(null, { status: 204 }), { kind: 'done', value: undefined }],
    [new Response('no JSON'), { kind: 'problem', status: 200, title: 'The timesheets service gave an answer that this app does not understand.' }],
    [
      new Response(JSON.stringify('x'.repeat(1024 * 1024))),
      { kind: 'problem', status: 200, title: 'The timesheets service gave an answer that this app does not understand.' },
    ],
  ];
  for (const [response, expected] of cases) {
    const bench = new Bench({ good: ['old'] });
    bench.answer = () => response;
    assert.deepEqual(await bench.client(LIST), expected);
  }
});

test('without an answer, a change may have been made, and a question asked nothing', async () => {
  const source = new Bench({});
  const client = apiClient('', source, () => Promise.reject(new TypeError('network')));
  assert.deepEqual(await client(LIST), { kind: 'unreachable', party: 'api', sent: false });
  assert.deepEqual(await client(ADD), { kind: 'unreachable', party: 'api', sent: true });

  const bench = new Bench({ renewals: ['new'] });
  const broken = apiClient('', bench, (_url, init) =>
    new Headers(init?.headers).get('authorization') === 'Bearer new'
      ? Promise.reject(new TypeError('network'))
      : Promise.resolve(refusal(401, EXPIRED)),
  );
  assert.deepEqual(await broken(ADD), { kind: 'unreachable', party: 'api', sent: true }, 'lost after the renewal');
});
