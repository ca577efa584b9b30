import { isObject, jsonBody } from './body.ts';

/** Who is signed in, in words for people. */
export interface Profile {
  name: string | undefined;
  email: string | undefined;
}

const MAX_BYTES = 64 * 1024;
const MAX_TEXT = 200;
const TIMEOUT_MS = 10_000;

/** Asks `/userinfo` (OpenID Connect Core, section 5.3); undefined if there is no answer, or one about somebody else. */
export async function fetchProfile(
  endpoint: string,
  accessToken: string,
  sub: string,
  fetch: typeof globalThis.fetch,
): Promise<Profile | undefined> {
  const response = await fetch(endpoint, {
    headers: { authorization: `Bearer ${accessToken}` },
    cache: 'no-store',
    credentials: 'omit',
    redirect: 'error',
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  const json = response.ok ? await jsonBody(response, MAX_BYTES) : undefined;
  // Section 5.3.2: an answer about another subject must not be used.
  if (!isObject(json) || json['sub'] !== sub) return undefined;
  return { name: text(json['name']), email: text(json['email']) };
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value.slice(0, MAX_TEXT) : undefined;
}
