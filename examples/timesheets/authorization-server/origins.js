/** Who may ask: names of this machine, and pages of known origins. */

import { isOriginOf } from './clients.js';

/** @typedef {import('koa').Context} Context */

const LOOPBACK = new Set(['127.0.0.1', 'localhost', '[::1]']);

/**
 * A page of another site can point a name of its own at this machine (DNS rebinding), and would be answered. Other names of this machine
 * are taken for the issuer's, so that all addresses in the answers are the issuer's.
 *
 * @param {string} issuer
 * @returns {import('koa').Middleware}
 */
export function forThisMachine(issuer) {
  const { host } = new URL(issuer);
  return (ctx, next) => {
    const named = `http://${ctx.get('host')}`;
    if (!URL.canParse(named) || !LOOPBACK.has(new URL(named).hostname)) {
      problem(ctx, 421, 'This issuer answers to names of this machine alone');
      return undefined;
    }
    ctx.req.headers.host = host;
    return next();
  };
}

/**
 * The provider answers the preflight of any origin, and lets any read the key set. Only pages of clients have business here: for others
 * the browser gets no permission.
 *
 * @param {() => Iterable<readonly string[] | undefined>} redirectUris those of each client
 * @returns {import('koa').Middleware}
 */
export function forKnownOrigins(redirectUris) {
  return async (ctx, next) => {
    await next();
    const origin = ctx.get('origin');
    if (origin === '' || [...redirectUris()].some((uris) => isOriginOf(origin, uris))) {
      return;
    }
    for (const header of Object.keys(ctx.response.headers)) {
      if (header.startsWith('access-control-')) {
        ctx.remove(header);
      }
    }
  };
}

/**
 * Whether a browser's page asks. `Origin` is sent with what changes something, `Sec-Fetch-Site` with everything; `none` is a person who
 * types an address.
 *
 * @param {Context} ctx
 */
export function isFromPage(ctx) {
  return ctx.get('origin') !== '' || !['', 'none'].includes(ctx.get('sec-fetch-site'));
}

/**
 * Whether a form was sent by a page of another origin. Cookies with SameSite are not enough for that: other ports of this machine are the
 * same site.
 *
 * @param {Context} ctx
 * @param {string} issuer
 */
export function isFromOtherOrigin(ctx, issuer) {
  const origin = ctx.get('origin');
  const site = ctx.get('sec-fetch-site');
  return (origin !== '' && origin !== new URL(issuer).origin) || !['', 'none', 'same-origin'].includes(site);
}

/**
 * @param {Context} ctx
 * @param {number} status
 * @param {string} title
 */
export function problem(ctx, status, title) {
  ctx.status = status;
  ctx.body = JSON.stringify({ title, status });
  ctx.type = 'application/problem+json';
  ctx.set('cache-control', 'no-store');
}
