/** When a person is asked, and what is granted without asking. */

import { interactionPolicy } from 'oidc-provider';

import { isFirstParty } from './clients.js';
import { known, OPENID, permitted, settle } from './scopes.js';

/** @typedef {import('oidc-provider').KoaContextWithOIDC} Context */

/** Log in when nobody is, and ask about each client that is not ours. */
export function askingPolicy() {
  const policy = interactionPolicy.base();
  // Anybody can register a client with any name and a loopback URI, and be started by a link. An earlier consent says nothing about such
  // a request (RFC 8252 section 8.6), so each one is asked about, and without a person (`prompt=none`) it is refused.
  policy.get('consent')?.checks.add(
    new interactionPolicy.Check(
      'third_party',
      'clients that registered themselves need consent each time',
      'consent_required',
      (ctx) => !isFirstParty(ctx.oidc.client) && ctx.oidc.result?.['consent'] === undefined,
    ),
  );
  return policy;
}

/**
 * What a client holds for a person. Clients of others hold what the person just agreed to. Ours gets what it asks for, as far as the
 * person may: one grant for a session, which lasts as long as the latest request says.
 *
 * @param {import('./accounts.js').Accounts} accounts
 */
export function grantFor(accounts) {
  return async (/** @type {Context} */ ctx) => {
    const { client, params, provider, result, session } = ctx.oidc;
    const person = accounts.find(session?.accountId);
    if (client === undefined || session === undefined || person === undefined) {
      return undefined;
    }
    const consent = /** @type {{ grantId?: string } | undefined} */ (result?.['consent'])?.grantId;
    if (consent !== undefined || !isFirstParty(client)) {
      const grantId = consent ?? session.grantIdFor(client.clientId);
      return grantId === undefined ? undefined : provider.Grant.find(grantId);
    }
    const held = session.grantIdFor(client.clientId);
    const grant =
      (held === undefined ? undefined : await provider.Grant.find(held)) ??
      new provider.Grant({ accountId: person.id, clientId: client.clientId });
    const asked = askedOf(params);
    settle(grant, { asked, granted: permitted(asked, person, true), resources: resourcesOf(params) });
    // It is stored with a new end.
    grant.exp = /** @type {any} */ (undefined);
    await grant.save();
    return grant;
  };
}

/**
 * The scopes that a request asks for. Without an API they are those of OpenID Connect alone.
 *
 * @param {Record<string, unknown> | undefined} params
 */
export function askedOf(params) {
  const asked = known(params?.['scope']);
  return resourcesOf(params).length > 0 ? asked : asked.filter((scope) => OPENID.includes(scope));
}

/**
 * @param {Record<string, unknown> | undefined} params
 * @returns {string[]}
 */
export function resourcesOf(params) {
  const resource = params?.['resource'];
  return [resource].flat().filter((one) => typeof one === 'string');
}
