/** The clients: those of the example, and the rules for those that register themselves. */

import { randomBytes } from 'node:crypto';

import { errors } from 'oidc-provider';

/** A name has to fit on the consent page. */
const MAX_NAME_CHARACTERS = 80;

const MAX_REDIRECT_URIS = 10;

/** Browsers take about that much in a `Location`. */
const MAX_URI_CHARACTERS = 2000;

/** RFC 8252 section 7.3, and `localhost`, which it discourages and people use. */
const LOOPBACK = new Set(['127.0.0.1', '[::1]', 'localhost']);

/** A name or an address. To a URL also `;`, `,`, `*` and `'` are parts of a host, and in a header they mean something. */
const HOST = /^(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])$/;

/** Members of a registration (RFC 7591 section 2) that make a provider fetch or show what a stranger names. */
const NOT_TAKEN = ['sector_identifier_uri', 'jwks_uri', 'logo_uri', 'initiate_login_uri'];

/** What a machine-to-machine client may have, by its id. */
const MACHINES = new Map([['timesheets-batch', ['read:timesheets', 'create:timesheets']]]);

/**
 * The clients that are there from the start.
 *
 * @param {string[]} appOrigins
 */
export function ownClients(appOrigins) {
  const roots = appOrigins.map((origin) => `${origin}/`);
  /** @type {import('oidc-provider').ClientMetadata[]} */
  const clients = [
    {
      client_id: 'timesheets-spa',
      client_name: 'Timesheets',
      first_party: true,
      token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'],
      response_types: ['code'],
      redirect_uris: roots,
      post_logout_redirect_uris: roots,
    },
    {
      client_id: 'timesheets-batch',
      client_secret: randomBytes(32).toString('base64url'),
      client_name: 'Timesheets batch',
      first_party: true,
      // In the body or, as the provider takes one for the other, by the scheme Basic.
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      response_types: [],
      redirect_uris: [],
    },
  ];
  return clients;
}

/** @param {import('oidc-provider').Client | undefined} client */
export function isFirstParty(client) {
  return client?.['first_party'] === true;
}

/** @param {import('oidc-provider').Client} client */
export function scopesOfMachine(client) {
  return MACHINES.get(client.clientId) ?? [];
}

/**
 * Checks what somebody registers. The provider calls it for each client it reads, so those that register are told by the request.
 *
 * @param {import('oidc-provider').KoaContextWithOIDC | undefined} ctx
 * @param {string} _key
 * @param {unknown} firstParty
 * @param {Record<string, any>} metadata
 */
export function checkRegistration(ctx, _key, firstParty, metadata) {
  if (ctx?.oidc.route !== 'registration') {
    return;
  }
  if (firstParty !== undefined) {
    throw invalid('first_party is not for a client to say');
  }
  for (const name of NOT_TAKEN.filter((member) => metadata[member] !== undefined)) {
    throw invalid(`${name} is not taken here`);
  }
  const name = metadata.client_name;
  // Control and format characters can turn a text around and hide what follows.
  if (typeof name === 'string' && (name.length > MAX_NAME_CHARACTERS || /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(name))) {
    throw invalid(`client_name is a text of at most ${MAX_NAME_CHARACTERS} characters, without control characters`);
  }
  const grants = metadata.grant_types ?? [];
  if (!Array.isArray(grants) || grants.some((grant) => !['authorization_code', 'refresh_token'].includes(grant))) {
    throw invalid('grant_types can only contain authorization_code and refresh_token');
  }
  for (const member of ['redirect_uris', 'post_logout_redirect_uris']) {
    checkUris(member, metadata[member] ?? []);
  }
}

/**
 * @param {string} member
 * @param {unknown} uris
 */
function checkUris(member, uris) {
  if (!Array.isArray(uris) || uris.length > MAX_REDIRECT_URIS) {
    throw invalid(`${member} is a list of at most ${MAX_REDIRECT_URIS} URIs`);
  }
  for (const uri of uris) {
    const origin = typeof uri === 'string' && uri.length <= MAX_URI_CHARACTERS ? originOf(uri) : undefined;
    const url = origin === undefined ? null : new URL(origin);
    const safe = url?.protocol === 'https:' || (url?.protocol === 'http:' && LOOPBACK.has(url.hostname));
    if (!safe) {
      throw invalid(`${member} can only contain https URIs, and http URIs on loopback, of plain hosts`);
    }
  }
}

/**
 * The origin of a web page's address. There is none if the host is more than a name or an address.
 *
 * @param {string} uri
 */
export function originOf(uri) {
  const url = URL.canParse(uri) ? new URL(uri) : null;
  return url && ['http:', 'https:'].includes(url.protocol) && HOST.test(url.hostname) ? url.origin : undefined;
}

/** @param {string} description */
function invalid(description) {
  return new errors.InvalidClientMetadata(description);
}

/**
 * Whether an origin is one that a client is served from: one of its redirect URIs has it.
 *
 * @param {string} origin
 * @param {readonly string[] | undefined} redirectUris
 */
export function isOriginOf(origin, redirectUris) {
  return (redirectUris ?? []).some((uri) => originOf(uri) === origin);
}
