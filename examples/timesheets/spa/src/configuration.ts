import { isObject, jsonBody } from './body.ts';

/** `config.json`, which stands beside the app and is written by whoever serves it. */
export interface Configuration {
  /** As the issuer writes itself: compared byte for byte with its metadata. */
  issuer: string;
  clientId: string;
  /** The API that the access token is for. */
  audience: string;
  /** What is asked for about the person and the session, besides the scopes of the API. */
  openidScopes: string[];
  /** What the authorization server wants before the scopes of the API; mostly nothing. */
  scopePrefix: string;
  /** Name to base address; the base of the app's own origin is empty. Always holds `DEFAULT_API`. */
  apis: Map<string, string>;
}

export const DEFAULT_API = 'same-origin';

/** Ours has 200 bytes. */
const MAX_BYTES = 16 * 1024;
const MAX_APIS = 16;
const MAX_ORIGINS = 16;
const MAX_OPENID_SCOPES = 16;
const OPENID_SCOPES = ['openid', 'profile', 'email', 'offline_access'];
/** The characters of a scope token (RFC 6749, section 3.3). */
const OF_SCOPE = /^[!#-[\]-~]*$/;
const MAX_VALUE_LENGTH = 2048;
const TIMEOUT_MS = 10_000;

export class InvalidConfiguration extends Error {
  override name = 'InvalidConfiguration';
}

/** Fetches and checks the configuration; throws `InvalidConfiguration`. */
export async function fetchConfiguration(address: string, fetch: typeof globalThis.fetch): Promise<Configuration> {
  let response: Response;
  try {
    response = await fetch(address, { cache: 'no-store', signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    throw new InvalidConfiguration(`${address} cannot be reached.`);
  }
  if (!response.ok) throw new InvalidConfiguration(`${address} cannot be had: status ${response.status}.`);
  const json = await jsonBody(response, MAX_BYTES);
  if (json === undefined) throw new InvalidConfiguration(`${address} is not JSON, or longer than ${MAX_BYTES} bytes.`);
  return parseConfiguration(json);
}

/** Throws `InvalidConfiguration`, whose message names the member and what it should be. */
export function parseConfiguration(json: unknown): Configuration {
  if (!isObject(json)) throw new InvalidConfiguration('config.json must be an object.');
  const { issuer, client_id, audience, apis, ...others } = json;
  const { openid_scopes = OPENID_SCOPES, scope_prefix = '', endpoint_origins = [], ...unknown } = others;
  const extra = Object.keys(unknown)[0];
  if (extra !== undefined) throw new InvalidConfiguration(`config.json: unknown member “${shortened(extra)}”.`);
  if (!isObject(apis)) throw new InvalidConfiguration('config.json: “apis” must be an object of names and addresses.');

  const names = Object.keys(apis);
  if (!names.includes(DEFAULT_API)) throw new InvalidConfiguration(`config.json: “apis” must have “${DEFAULT_API}”.`);
  if (names.length > MAX_APIS) throw new InvalidConfiguration(`config.json: “apis” has more than ${MAX_APIS} entries.`);

  // Whoever serves the app lets the page reach them; here they are only checked.
  checkOrigins(endpoint_origins);

  return {
    issuer: address('issuer', text('issuer', issuer)),
    clientId: text('client_id', client_id),
    audience: text('audience', audience),
    openidScopes: openidScopes(openid_scopes),
    scopePrefix: prefix(scope_prefix),
    apis: new Map(names.map((name) => [name, base(`apis.${shortened(name)}`, apis[name])])),
  };
}

/** The API with this name; undefined in, the default out. A name comes from the page's address: it is no address itself. */
export function chooseApi(configuration: Configuration, name: string | undefined): { name: string; base: string } {
  const chosen = name ?? DEFAULT_API;
  const base = configuration.apis.get(chosen);
  if (base !== undefined) return { name: chosen, base };
  const known = [...configuration.apis.keys()].join(', ');
  throw new InvalidConfiguration(`There is no API named “${shortened(chosen)}”. config.json has: ${known}.`);
}

function text(member: string, value: unknown): string {
  if (typeof value === 'string' && value !== '' && value.length <= MAX_VALUE_LENGTH) return value;
  throw new InvalidConfiguration(`config.json: “${member}” must be a text of 1 to ${MAX_VALUE_LENGTH} characters.`);
}

function openidScopes(value: unknown): string[] {
  const isScope = (scope: unknown) => typeof scope === 'string' && scope !== '' && OF_SCOPE.test(scope);
  if (Array.isArray(value) && value.length <= MAX_OPENID_SCOPES && value.includes('openid') && value.every(isScope)) return value;
  throw new InvalidConfiguration(`config.json: “openid_scopes” must be a list of up to ${MAX_OPENID_SCOPES} scopes, “openid” among them.`);
}

function prefix(value: unknown): string {
  if (typeof value === 'string' && value.length <= MAX_VALUE_LENGTH && OF_SCOPE.test(value)) return value;
  throw new InvalidConfiguration('config.json: “scope_prefix” must be a text that may stand in a scope.');
}

function checkOrigins(value: unknown): void {
  if (!Array.isArray(value) || value.length > MAX_ORIGINS) {
    throw new InvalidConfiguration(`config.json: “endpoint_origins” must be a list of up to ${MAX_ORIGINS} origins.`);
  }
  for (const origin of value) {
    if (new URL(address('endpoint_origins', text('endpoint_origins', origin))).origin !== origin) {
      throw new InvalidConfiguration('config.json: “endpoint_origins” must hold origins, as in “https://id.example.com”.');
    }
  }
}

function base(member: string, value: unknown): string {
  return value === '' ? '' : address(member, text(member, value)).replace(/\/$/, '');
}

function address(member: string, value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  // As in the gate's policy: plain http is for this machine alone.
  const encrypted = url?.protocol === 'https:' || (url?.protocol === 'http:' && isLoopback(url.hostname));
  if (!url || !encrypted || url.username || url.password || /[?#]/.test(value)) {
    throw new InvalidConfiguration(
      `config.json: “${member}” must be an https address (http on loopback), without query or fragment.`,
    );
  }
  return value;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function shortened(name: string): string {
  return name.length <= 40 ? name : `${name.slice(0, 40)}…`;
}
