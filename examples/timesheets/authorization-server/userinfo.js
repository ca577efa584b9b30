/**
 * `/userinfo` with the access token of the API.
 *
 * Auth0 puts two audiences into such a token, the API and `/userinfo`, and an app uses one token for both. The provider's own `/userinfo`
 * takes opaque tokens alone: it keeps those, and refuses any that has an audience. So a JWT is answered here, verified with the same keys
 * and for the second audience; opaque tokens go on to the provider.
 */

import { errors as jose, jwtVerify } from 'jose';

import { userinfoAudience } from './access-token.js';
import { claims } from './accounts.js';
import { isOriginOf } from './clients.js';

/** Three parts, as RFC 7515 section 3.1 has them; a gate takes 8 KiB. */
const JWT = /^Bearer +([\w-]+\.[\w-]+\.[\w-]+)$/i;

/**
 * @param {object} settings
 * @param {string} settings.issuer
 * @param {import('oidc-provider').Provider} settings.provider
 * @param {import('./keys.js').KeyRing} settings.keys
 * @param {import('./accounts.js').Accounts} settings.accounts
 * @param {import('./journal.js').Journal} settings.journal
 * @returns {import('koa').Middleware}
 */
export function userinfo({ issuer, provider, keys, accounts, journal }) {
  return async (ctx, next) => {
    const [, token] = JWT.exec(ctx.get('authorization')) ?? [];
    if (ctx.path !== '/userinfo' || !['GET', 'POST'].includes(ctx.method) || token === undefined) {
      return next();
    }
    ctx.set('cache-control', 'no-store');
    ctx.vary('Origin');
    try {
      const { payload } = await jwtVerify(token, keys.verifier, {
        issuer,
        audience: userinfoAudience(issuer),
        algorithms: ['RS256'],
        typ: 'at+jwt',
        requiredClaims: ['sub', 'azp', 'exp'],
      });
      const client = await provider.Client.find(String(payload['azp']));
      const person = accounts.find(payload.sub);
      if (client === undefined || person === undefined) {
        throw new jose.JWTInvalid('its client or account is gone');
      }
      const origin = ctx.get('origin');
      if (isOriginOf(origin, client.redirectUris)) {
        ctx.set('access-control-allow-origin', origin);
        ctx.set('access-control-expose-headers', 'WWW-Authenticate');
      }
      // Who has this audience was granted `openid`.
      ctx.body = claims(person, String(payload['scope']).split(' '));
      journal({ event: 'userinfo', outcome: 'granted', client: client.clientId, account: person.id });
    } catch (error) {
      if (!(error instanceof jose.JOSEError)) {
        throw error;
      }
      journal({ event: 'userinfo', outcome: 'refused', error: 'invalid_token', reason: error.code });
      // RFC 6750 section 3.1.
      ctx.status = 401;
      ctx.set('www-authenticate', `Bearer realm="${issuer}", error="invalid_token"`);
      // Whose token it is nobody knows, and the app has to see that it is no good. For unknown origins the header is taken away again.
      ctx.set('access-control-allow-origin', ctx.get('origin') || '*');
      ctx.set('access-control-expose-headers', 'WWW-Authenticate');
      ctx.body = { error: 'invalid_token', error_description: 'the access token is expired, or not for this' };
    }
  };
}
