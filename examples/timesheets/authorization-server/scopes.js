/** The scopes: what each lets a client do, and who may have which. */

export const USUAL_AUDIENCE = 'https://timesheets.example.com/api';

/** What a client learns of a person, in the words of the consent page (OpenID Connect Core 1.0 sections 5.4 and 11). */
const OPENID_SCOPES = new Map([
  ['openid', 'Know who you are'],
  ['profile', 'See your name'],
  ['email', 'See your e-mail address'],
  ['offline_access', 'Stay connected while you are away'],
]);

/** What a client does with the timesheets API. */
const API_SCOPES = new Map([
  ['read:timesheets', 'Read your timesheets'],
  ['create:timesheets', 'Add entries to your timesheets'],
  ['delete:timesheets', 'Remove entries from your timesheets'],
  ['admin', 'Remove entries from your timesheets, without delete:timesheets'],
]);

/** Scopes that no client of somebody else ever gets, whatever the person would agree to. */
const FIRST_PARTY_ONLY = new Set(['admin']);

export const OPENID = [...OPENID_SCOPES.keys()];

/**
 * All that an access token for the API can say. The names of OpenID Connect are among them, since Auth0's access tokens say them too and
 * `/userinfo` answers by them.
 */
export const ALL = [...OPENID, ...API_SCOPES.keys()];

/** @param {string} scope */
export function inWords(scope) {
  return OPENID_SCOPES.get(scope) ?? API_SCOPES.get(scope) ?? scope;
}

/**
 * The scopes in a parameter, as far as they are known here. RFC 6749 section 3.3: separated by spaces.
 *
 * @param {unknown} parameter
 */
export function known(parameter) {
  const asked = new Set(typeof parameter === 'string' ? parameter.split(' ') : []);
  return ALL.filter((scope) => asked.has(scope));
}

/**
 * Which of these a client may be granted on behalf of a person.
 *
 * @param {string[]} scopes
 * @param {{ permissions: readonly string[] }} account
 * @param {boolean} firstParty
 */
export function permitted(scopes, account, firstParty) {
  return scopes.filter((scope) => {
    if (OPENID_SCOPES.has(scope)) {
      return true;
    }
    return account.permissions.includes(scope) && (firstParty || !FIRST_PARTY_ONLY.has(scope));
  });
}

/**
 * Writes into a grant what was asked: what is granted, and what is not. Both have to stand there, since the provider asks again for
 * what a grant does not mention.
 *
 * @param {import('oidc-provider').Grant} grant
 * @param {{ asked: string[], granted: string[], resources: string[] }} answer
 */
export function settle(grant, { asked, granted, resources }) {
  const refused = asked.filter((scope) => !granted.includes(scope));
  const openid = (/** @type {string} */ scope) => OPENID_SCOPES.has(scope);
  for (const [scopes, addOpenid, addOf] of /** @type {const} */ ([
    [granted, 'addOIDCScope', 'addResourceScope'],
    [refused, 'rejectOIDCScope', 'rejectResourceScope'],
  ])) {
    if (scopes.some(openid)) {
      grant[addOpenid](scopes.filter(openid).join(' '));
    }
    if (scopes.length > 0) {
      resources.forEach((resource) => grant[addOf](resource, scopes.join(' ')));
    }
  }
}
