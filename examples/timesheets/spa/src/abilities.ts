/** What the app asks for at sign-in. The authorization server grants what this user and this client may. */
export const REQUESTED_SCOPE =
  'openid profile email offline_access read:timesheets create:timesheets delete:timesheets';

/** Which buttons make sense. The gate decides; a button shown in vain would only lead to its 403. */
export interface Abilities {
  add: boolean;
  remove: boolean;
}

/** Reads the `scope` of the token response (RFC 6749, section 5.1). The access token is opaque to a client. */
export function abilities(scope: string): Abilities {
  const granted = new Set(scope.split(' '));
  return {
    add: granted.has('create:timesheets'),
    remove: granted.has('delete:timesheets') || granted.has('admin'),
  };
}
