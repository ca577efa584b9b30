/** The OpenID provider, configured like an Auth0 tenant. */

import './node20.js';

import { Provider } from 'oidc-provider';

import { accessTokenClaims } from './access-token.js';
import { CLAIMS, claims } from './accounts.js';
import { checkRegistration, isFirstParty, isOriginOf } from './clients.js';
import { askingPolicy, grantFor } from './interaction-policy.js';
import { interactionUrl } from './interactions.js';
import { showLoggedOut, showLogout } from './pages/logout.js';
import { showTrouble } from './pages/trouble.js';
import { extraParams, resourceIndicators, rotateRefreshToken } from './resource.js';
import { ALL } from './scopes.js';

const MINUTE = 60;
const HOUR = 60 * MINUTE;

/** A working day. Rotation does not prolong a refresh token: after that time a person logs in. */
const REFRESH_TOKEN_SECONDS = 8 * HOUR;

/** Since the latest visit of the authorization endpoint. */
const SESSION_SECONDS = 8 * HOUR;

/** As long as the longest-lived token under it. */
const GRANT_SECONDS = 24 * HOUR;

/** Time to find a password. */
const INTERACTION_SECONDS = 10 * MINUTE;

/** RFC 6749 section 4.1.2: at most ten minutes. */
const CODE_SECONDS = MINUTE;

const ID_TOKEN_SECONDS = HOUR;

/**
 * @typedef {object} Settings
 * @property {string} issuer
 * @property {string} audience
 * @property {number} accessTokenSeconds
 * @property {import('oidc-provider').ClientMetadata[]} clients
 * @property {string[]} cookieKeys
 * @property {import('./accounts.js').Accounts} accounts
 * @property {import('./keys.js').KeyRing} keys
 * @property {import('./store.js').Store} store
 */

/**
 * A provider with the keys of this moment. All that is remembered is in the store, so another one can go on.
 *
 * @param {Settings} settings
 */
export function openProvider({ issuer, audience, accessTokenSeconds, clients, cookieKeys, accounts, keys, store }) {
  return new Provider(issuer, {
    adapter: (/** @type {string} */ kind) => store.adapter(kind),
    clients,
    jwks: { keys: /** @type {any[]} */ (keys.privateKeys) },
    routes: {
      authorization: '/authorize',
      token: '/oauth/token',
      userinfo: '/userinfo',
      registration: '/oidc/register',
      end_session: '/oidc/logout',
      revocation: '/oauth/revoke',
      jwks: '/.well-known/jwks.json',
    },
    scopes: ['openid', 'offline_access'],
    claims: CLAIMS,
    responseTypes: ['code'],
    subjectTypes: ['public'],
    clientAuthMethods: ['none', 'client_secret_basic', 'client_secret_post'],
    // The algorithm of the keys, and of Auth0.
    enabledJWA: { idTokenSigningAlgValues: ['RS256'] },
    pkce: { required: () => true },
    extraParams,
    extraClientMetadata: { properties: ['first_party'], validator: checkRegistration },
    features: {
      devInteractions: { enabled: false },
      dPoP: { enabled: false },
      pushedAuthorizationRequests: { enabled: false },
      clientCredentials: { enabled: true },
      registration: { enabled: true, issueRegistrationAccessToken: false },
      revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => client.clientId === token.clientId },
      rpInitiatedLogout: { enabled: true, logoutSource: showLogout, postLogoutSuccessSource: showLoggedOut },
      resourceIndicators: /** @type {any} */ (resourceIndicators({ audience, accessTokenSeconds })),
    },
    formats: { customizers: { jwt: /** @type {any} */ (accessTokenClaims({ issuer, accounts })) } },
    interactions: { policy: askingPolicy(), url: interactionUrl },
    loadExistingGrant: grantFor(accounts),
    findAccount: async (_ctx, id) => {
      const person = accounts.find(id);
      return person && { accountId: person.id, claims: async () => claims(person, ALL) };
    },
    issueRefreshToken: async (_ctx, client, code) =>
      client.grantTypeAllowed('refresh_token') && code.scopes.has('offline_access'),
    rotateRefreshToken,
    // Logging out ends what the example's own app holds. What a person gave somebody else to act while they are away stays.
    expiresWithSession: async (_ctx, code) => isFirstParty(code.client) || !code.scopes.has('offline_access'),
    clientBasedCORS: (_ctx, origin, client) => isOriginOf(origin, client.redirectUris),
    cookies: {
      keys: cookieKeys,
      long: { httpOnly: true, sameSite: 'lax' },
      short: { httpOnly: true, sameSite: 'lax' },
    },
    ttl: {
      AccessToken: accessTokenSeconds,
      ClientCredentials: accessTokenSeconds,
      AuthorizationCode: CODE_SECONDS,
      IdToken: ID_TOKEN_SECONDS,
      Interaction: INTERACTION_SECONDS,
      Session: SESSION_SECONDS,
      Grant: GRANT_SECONDS,
      RefreshToken: (ctx) => ctx.oidc.entities.RotatedRefreshToken?.remainingTTL ?? REFRESH_TOKEN_SECONDS,
    },
    renderError: async (ctx, out) => showTrouble(ctx, { sentence: out.error_description, code: out.error }),
  });
}
