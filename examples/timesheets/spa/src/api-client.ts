import { jsonBody } from './body.ts';
import { bearerChallenge } from './challenge.ts';
import type { Outcome } from './outcome.ts';
import { problemOf, retryAfter } from './problem.ts';
import { type Renewal, singleFlight, type TokenSource } from './renewal.ts';

export interface ApiRequest {
  method: 'GET' | 'POST' | 'DELETE';
  path: string;
  body?: unknown;
}

/** Sends requests with the access token in force; rejects for no reason. */
export type ApiClient = (request: ApiRequest) => Promise<Outcome<unknown>>;

/** Room for the list of ten thousand entries. */
const MAX_BYTES = 1024 * 1024;
/** Longer than the gate and the API together take before they give up. */
const TIMEOUT_MS = 20_000;

export function apiClient(base: string, source: TokenSource, fetch: typeof globalThis.fetch): ApiClient {
  const renewed = singleFlight(source);

  return async (request) => {
    const token = source.accessToken();
    if (token === undefined) return { kind: 'signed-out', cause: 'ended' };
    const first = await send(base, request, token, fetch);
    if (first === undefined) return unreachable(request);
    if (!tokenWasRefused(first)) return outcome(first);
    // The challenge has said it all, but a body that nobody reads keeps the request open until it times out.
    void problemOf(first);

    const renewal: Renewal = await renewed(token);
    if (renewal === 'unavailable') return { kind: 'unreachable', party: 'authorization-server', sent: false };
    const fresh = source.accessToken();
    if (renewal === 'ended' || fresh === undefined) return { kind: 'signed-out', cause: 'ended' };

    // Once, and not again: if a token that was just issued is refused as well, the next one will be too.
    const second = await send(base, request, fresh, fetch);
    return second === undefined ? unreachable(request) : outcome(second);
  };
}

async function send(
  base: string,
  { method, path, body }: ApiRequest,
  token: string,
  fetch: typeof globalThis.fetch,
): Promise<Response | undefined> {
  const headers = new Headers({ authorization: `Bearer ${token}`, accept: 'application/json' });
  if (body !== undefined) headers.set('content-type', 'application/json');
  try {
    return await fetch(base + path, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
      cache: 'no-store',
      // The token is the only credential, and it goes nowhere else.
      credentials: 'omit',
      redirect: 'error',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    return undefined;
  }
}

function tokenWasRefused(response: Response): boolean {
  return response.status === 401 && challengeOf(response)?.error === 'invalid_token';
}

async function outcome(response: Response): Promise<Outcome<unknown>> {
  const { status } = response;
  if (status === 204) return { kind: 'done', value: undefined };
  if (response.ok) {
    const value = await jsonBody(response, MAX_BYTES);
    return value === undefined ? unexpected(status) : { kind: 'done', value };
  }

  const problem = await problemOf(response);
  if (status === 401) return { kind: 'signed-out', cause: 'refused' };
  switch (status) {
    case 403:
      return { kind: 'forbidden', scope: challengeOf(response)?.scope, title: problem.title };
    case 422:
      return { kind: 'invalid', ...problem };
    case 503:
      return { kind: 'not-ready', seconds: retryAfter(response.headers.get('retry-after'), Date.now()) };
    default:
      return { kind: 'problem', status, title: problem.title };
  }
}

/** An answer that the API's contract does not know. */
export function unexpected(status: number): Outcome<never> {
  return { kind: 'problem', status, title: 'The timesheets service gave an answer that this app does not understand.' };
}

function unreachable({ method }: ApiRequest): Outcome<never> {
  return { kind: 'unreachable', party: 'api', sent: method !== 'GET' };
}

function challengeOf(response: Response): ReturnType<typeof bearerChallenge> {
  return bearerChallenge(response.headers.get('www-authenticate'));
}
