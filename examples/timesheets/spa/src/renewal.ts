/** How asking for a new access token went. */
export type Renewal =
  | 'renewed'
  /** The refresh token is spent, revoked or too old: only signing in again helps. */
  | 'ended'
  /** The authorization server did not answer, or not now. The refresh token may still be good. */
  | 'unavailable';

/** Where access tokens come from. */
export interface TokenSource {
  /** The access token in force, or undefined when signed out. */
  accessToken(): string | undefined;
  /** Asks for a new one; never rejects. */
  renew(): Promise<Renewal>;
}

/**
 * Returns a function that sees to it that `refused` is no longer the token in force.
 *
 * Requests that were refused together ask the authorization server once: refresh tokens rotate, and a second
 * use of the same one would be taken for theft and end the session.
 */
export function singleFlight(source: TokenSource): (refused: string) => Promise<Renewal> {
  let flight: Promise<Renewal> | undefined;
  return async (refused) => {
    // Of two requests sent together, the answer to one may arrive when the other's has led to a new token already.
    if (flight === undefined) {
      const current = source.accessToken();
      if (current === undefined) return 'ended';
      if (current !== refused) return 'renewed';
      flight = source.renew().finally(() => {
        flight = undefined;
      });
    }
    return flight;
  };
}
