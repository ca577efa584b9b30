/** The API as a resource (RFC 8707), and Auth0's parameter `audience`, which names it too. */

import { errors } from 'oidc-provider';

import { scopesOfMachine } from './clients.js';
import { ALL } from './scopes.js';

/** @typedef {import('oidc-provider').KoaContextWithOIDC} Context */

/**
 * The provider's configuration for the API.
 *
 * @param {{ audience: string, accessTokenSeconds: number }} settings
 */
export function resourceIndicators({ audience, accessTokenSeconds }) {
  return {
    enabled: true,

    /**
     * What a request is for that has no `resource`. Without `audience` as well it is for no API, and the access token is opaque.
     *
     * @param {Context} ctx
     * @param {unknown} _client
     * @param {string[] | undefined} oneOf
     */
    async defaultResource(ctx, _client, oneOf) {
      const named = audienceOf(ctx);
      if (named === undefined && isClientCredentials(ctx)) {
        throw new errors.InvalidTarget('audience is missing: a token without a person is for an API');
      }
      return named ?? oneOf;
    },

    /**
     * A code or refresh token that was granted for one API: the token request may name it again, and no other. Of one that was granted for
     * none the provider asks nothing here, and refuses a request that names one.
     *
     * @param {Context} ctx
     * @param {{ resource?: string | string[] }} source
     */
    async useGrantedResource(ctx, source) {
      refuseAnotherApi(source, audienceOf(ctx));
      return true;
    },

    /**
     * @param {Context} ctx
     * @param {string} indicator
     * @param {import('oidc-provider').Client} client
     */
    async getResourceServerInfo(ctx, indicator, client) {
      if (indicator !== audience) {
        throw new errors.InvalidTarget('there is no API with that audience');
      }
      const scopes = isClientCredentials(ctx) ? scopesWithoutPerson(ctx, client) : ALL;
      return {
        audience,
        scope: scopes.join(' '),
        accessTokenTTL: accessTokenSeconds,
        accessTokenFormat: /** @type {const} */ ('jwt'),
        jwt: { sign: { alg: /** @type {const} */ ('RS256') } },
      };
    },
  };
}

/**
 * Whether a refresh token is used up and another given: always, unless the request names another API than it was granted for. The provider would
 * tell that only afterwards, and the session would have ended for a mistake.
 *
 * @param {Context} ctx
 */
export async function rotateRefreshToken(ctx) {
  const token = /** @type {{ resource?: string | string[] }} */ (ctx.oidc.entities.RefreshToken);
  for (const named of [audienceOf(ctx), ctx.oidc.params?.['resource']].flat()) {
    refuseAnotherApi(token, named);
  }
  return true;
}

/**
 * @param {{ resource?: string | string[] }} source a code or refresh token
 * @param {unknown} named
 */
function refuseAnotherApi(source, named) {
  const granted = [source.resource ?? []].flat();
  if (named !== undefined && !granted.some((resource) => resource === named)) {
    throw new errors.InvalidTarget('audience is another than was granted');
  }
}

/**
 * Auth0's `audience`, in the query of `/authorize` or the body of `/oauth/token`.
 *
 * @param {Context} ctx
 * @returns {string | undefined}
 */
function audienceOf(ctx) {
  const named = ctx.oidc.route === 'token' ? ctx.oidc.body?.['audience'] : ctx.oidc.params?.['audience'];
  if (named !== undefined && typeof named !== 'string') {
    throw new errors.InvalidRequest('audience parameter must not be provided twice');
  }
  // RFC 6749 section 3.1: a parameter without a value is one that was left out.
  return named || undefined;
}

/** @param {Context} ctx */
function isClientCredentials(ctx) {
  return ctx.oidc.route === 'token' && ctx.oidc.params?.['grant_type'] === 'client_credentials';
}

/**
 * The scopes of a client that acts for itself. Asking for more is an error (RFC 6749 section 5.2), asking for none means all of them, as
 * with Auth0 (and RFC 6749 section 3.3).
 *
 * @param {Context} ctx
 * @param {import('oidc-provider').Client} client
 */
function scopesWithoutPerson(ctx, client) {
  const allowed = scopesOfMachine(client);
  const params = /** @type {{ scope?: string }} */ (ctx.oidc.params);
  const beyond = params.scope?.split(' ').filter((scope) => !allowed.includes(scope)) ?? [];
  if (beyond.length > 0) {
    throw new errors.InvalidScope('requested scope is not allowed', beyond.join(' '));
  }
  params.scope ||= allowed.join(' ');
  return allowed;
}

/**
 * The provider's configuration for `audience` as a parameter of `/authorize`. The check is called for each request there.
 */
export const extraParams = {
  /**
   * @param {Context} ctx
   * @param {string | undefined} audience
   * @param {import('oidc-provider').Client} client
   */
  audience(ctx, audience, client) {
    const params = /** @type {{ resource?: string | string[], scope?: string, response_mode?: string }} */ (ctx.oidc.params);
    if (!['query', undefined].includes(params.response_mode)) {
      throw new errors.InvalidRequest('response_mode is query, or is left out');
    }
    if (audience !== undefined && params.resource !== audience) {
      throw new errors.InvalidTarget('audience and resource name different APIs');
    }
    // OpenID Connect Core 1.0 section 11 drops `offline_access` from a request without `prompt=consent`, unless other conditions permit
    // offline access. Here they do: the example's own app needs no consent, and other clients are asked about each time.
    const asked = String(ctx.query['scope'] ?? '').split(' ').includes('offline_access');
    const scopes = new Set(params.scope?.split(' ') ?? []);
    if (asked && client.grantTypeAllowed('refresh_token')) {
      params.scope = [...scopes.add('offline_access')].join(' ');
    }
  },
};
