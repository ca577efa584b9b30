import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import test from 'node:test';

const PROGRAM = fileURLToPath(new URL('../server.js', import.meta.url));

/**
 * @param {import('node:test').TestContext} t
 * @param {string[]} args
 */
function run(t, args) {
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.after(() => child.kill('SIGKILL'));
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text) => (said.err += text));
  return { child, said, ended: once(child, 'close') };
}

/**
 * @param {import('node:test').TestContext} t
 * @param {string[]} args
 */
async function ready(t, args) {
  const { child, said, ended } = run(t, args);
  while (!said.out.includes('\n')) {
    await once(child.stdout, 'data');
  }
  return { child, said, ended, line: JSON.parse(said.out) };
}

for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  test(`it says in one line that it is ready, and ${signal} ends it`, async (t) => {
    const { child, said, ended, line } = await ready(t, ['--port', '0']);
    assert.match(line.issuer, /^http:\/\/127\.0\.0\.1:\d+\/$/);
    assert.deepEqual(Object.keys(line), ['issuer', 'clients']);
    assert.deepEqual(Object.keys(line.clients), ['batch']);
    assert.equal(line.clients.batch.client_id, 'timesheets-batch');
    assert.ok(line.clients.batch.client_secret.length >= 32);
    const response = await fetch(new URL('/.well-known/openid-configuration', line.issuer));
    assert.equal(response.status, 200);
    child.kill(signal);
    assert.deepEqual(await ended, [0, null]);
    assert.equal(said.out.split('\n').length, 2);
    assert.equal(said.err.includes(line.clients.batch.client_secret), false);
  });
}

test('the secret is another at each start', async (t) => {
  const secrets = [await ready(t, ['--port', '0']), await ready(t, ['--port', '0'])].map(({ line }) => line.clients.batch.client_secret);
  assert.notEqual(secrets[0], secrets[1]);
});

test('a port that is taken is told', async (t) => {
  const { line } = await ready(t, ['--port', '0']);
  const { said, ended } = run(t, ['--port', new URL(line.issuer).port]);
  assert.deepEqual(await ended, [1, null]);
  assert.match(said.err, /The port is taken: end what listens there, or choose another with --port\.\n$/);
  assert.equal(said.out, '');
});

test('options that cannot be taken are told', async (t) => {
  for (const [args, sentence] of /** @type {const} */ ([
    [['--prot', '1'], /Unknown option '--prot'/],
    [['9101'], /Unexpected argument '9101'/],
    [['--port', '65536'], /--port 65536: write a whole number from 0 to 65535\n/],
    [['--access-token-seconds', '1.5'], /--access-token-seconds 1\.5: write a whole number/],
    [['--app-origin', 'http://127.0.0.1:8080/app'], /--app-origin .*: write scheme, host and port alone/],
    [['--app-origin', 'localhost:8080'], /--app-origin localhost:8080: write scheme, host and port alone/],
    [['--app-origin', 'https://*'], /--app-origin https:\/\/\*: write scheme, host and port alone/],
    [['--audience', 'timesheets'], /--audience timesheets: write an absolute URI/],
  ])) {
    const { said, ended } = run(t, [...args]);
    assert.deepEqual(await ended, [2, null], args.join(' '));
    assert.match(said.err, sentence);
    assert.match(said.err, /--help lists the options\.\n$/);
    assert.equal(said.out, '');
  }
});

test('--help lists each option', async (t) => {
  const { said, ended } = run(t, ['--help']);
  assert.deepEqual(await ended, [0, null]);
  for (const option of ['--port', '--app-origin', '--audience', '--access-token-seconds']) {
    assert.ok(said.out.includes(option));
  }
});
