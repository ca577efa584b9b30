/**
 * What the app asks for at sign-in. The authorization server grants what this user and this client may.
 *
 * @param prefix what the server wants before the scopes of the API: some have the API's identifier there
 */
export function requestedScope(openidScopes: string[], prefix: string): string {
  const ofApi = ['read:timesheets', 'create:timesheets', 'delete:timesheets'].map((name) => prefix + name);
  return [...openidScopes, ...ofApi].join(' ');
}

/** Which buttons make sense. The gate decides; a button shown in vain would only lead to its 403. */
export interface Abilities {
  add: boolean;
  remove: boolean;
}

/** Reads the `scope` of the token response (RFC 6749, section 5.1). The access token is opaque to a client. */
export function abilities(scope: string, prefix: string): Abilities {
  const granted = new Set(scope.split(' '));
  const has = (name: string) => granted.has(prefix + name);
  return {
    add: has('create:timesheets'),
    remove: has('delete:timesheets') || has('admin'),
  };
}
