/** The server: the provider with its pages behind a socket, and new keys while it runs. */

import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';

import { Attempts } from './attempts.js';
import { ownClients } from './clients.js';
import { interactions } from './interactions.js';
import { keepJournal } from './journal.js';
import { KeyRing, MAX_AGE_SECONDS } from './keys.js';
import { forKnownOrigins, forThisMachine } from './origins.js';
import { guardPages } from './pages/page.js';
import { openProvider } from './provider.js';
import { rotation } from './rotation.js';
import { Store } from './store.js';
import { userinfo } from './userinfo.js';

const HOST = '127.0.0.1';

/** Requests are small and come from this machine; whoever needs longer holds a connection for nothing. */
const REQUEST_MS = 10_000;
const MAX_CONNECTIONS = 256;

/**
 * Starts the server.
 *
 * @param {import('./options.js').Options} options
 * @param {import('./accounts.js').Accounts} accounts
 * @param {import('./journal.js').Journal} journal
 */
export async function startAuthorizationServer(options, accounts, journal) {
  const keys = await KeyRing.open();
  const http = createServer({ requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS });
  http.maxConnections = MAX_CONNECTIONS;
  http.listen(options.port, HOST);
  await once(http, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (http.address());

  const issuer = `http://${HOST}:${port}/`;
  const clients = ownClients(options.appOrigins);
  const store = new Store();
  const attempts = new Attempts();
  const cookieKeys = [randomBytes(32).toString('base64url')];

  // One for all, so that they take turns whatever provider is at work.
  const rotate = rotation(async (how) => {
    const kids = await keys.rotate(how);
    answer = handler();
    journal({ event: 'rotate', outcome: how.drop ? 'old keys dropped' : 'old keys kept', kid: kids[0] });
    return kids;
  });

  // A provider reads its keys once. With new keys there is a new one; requests under way end with the old.
  const handler = () => {
    const provider = openProvider({ ...options, issuer, clients, cookieKeys, accounts, keys, store });
    keepJournal(provider, journal);
    // Koa's own event: what no other handler caught, as a client that hangs up.
    /** @type {import('node:events').EventEmitter} */ (provider).on('error', (error) => {
      journal({ event: 'server', outcome: 'failed', error: error.name, reason: error.message });
    });
    provider.use(endsWithItsBody);
    provider.use(guardPages);
    provider.use(forThisMachine(issuer));
    provider.use(forKnownOrigins(() => redirectUris(clients, store)));
    provider.use(rotate);
    provider.use(keySetAge);
    provider.use(userinfo({ issuer, provider, keys, accounts, journal }));
    provider.use(interactions({ issuer, provider, accounts, attempts, journal }));
    return provider.callback();
  };
  let answer = handler();
  http.on('request', (request, response) => answer(request, response));

  return {
    issuer,
    /** What the machine-to-machine client has to know. */
    batch: clients.find((client) => client.client_id === 'timesheets-batch'),
    close: async () => {
      const closed = once(http, 'close');
      http.close();
      http.closeAllConnections();
      await closed;
    },
  };
}

/**
 * A body that was refused before its end would be taken for the next request of its connection.
 *
 * @type {import('koa').Middleware}
 */
async function endsWithItsBody(ctx, next) {
  await next();
  if (!ctx.req.complete) {
    ctx.set('connection', 'close');
  }
}

/** @type {import('koa').Middleware} */
async function keySetAge(ctx, next) {
  await next();
  if (ctx.path === '/.well-known/jwks.json' && ctx.status === 200) {
    ctx.set('cache-control', `public, max-age=${MAX_AGE_SECONDS}`);
  }
}

/**
 * @param {import('oidc-provider').ClientMetadata[]} clients
 * @param {Store} store
 */
function* redirectUris(clients, store) {
  for (const client of clients) {
    yield client.redirect_uris;
  }
  for (const { redirect_uris: uris } of store.shelf('Client').payloads(Date.now())) {
    yield uris;
  }
}
