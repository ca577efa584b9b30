/** What an access token for the API says, as Auth0's do. */

import { isFirstParty } from './clients.js';

/**
 * Adds Auth0's claims to those of the provider (RFC 9068).
 *
 * @param {{ issuer: string, accounts: import('./accounts.js').Accounts }} settings
 */
export function accessTokenClaims({ issuer, accounts }) {
  /**
   * @param {unknown} _ctx
   * @param {import('oidc-provider').AccessToken | import('oidc-provider').ClientCredentials} token
   * @param {{ payload: Record<string, any> }} jwt
   */
  return (_ctx, token, { payload }) => {
    payload.azp = token.clientId;
    if (token.kind === 'ClientCredentials') {
      payload.sub = `${token.clientId}@clients`;
      payload.gty = 'client-credentials';
      return;
    }
    if (token.scopes.has('openid')) {
      payload.aud = [payload.aud, userinfoAudience(issuer)];
    }
    const roles = accounts.find(payload.sub)?.roles ?? [];
    // A role opens routes without any scope. A client of somebody else gets what was granted, and the consent page asks about no role.
    if (roles.length > 0 && isFirstParty(token.client)) {
      payload.roles = roles;
    }
  };
}

/**
 * Auth0's second audience of a token that may ask who the person is.
 *
 * @param {string} issuer
 */
export function userinfoAudience(issuer) {
  return `${issuer}userinfo`;
}
