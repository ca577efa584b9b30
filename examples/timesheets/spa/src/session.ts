import { ErrorResponse, InMemoryWebStorage, type User, UserManager, WebStorageStateStore } from 'oidc-client-ts';

import { abilities, type Abilities, requestedScope } from './abilities.ts';
import type { Configuration } from './configuration.ts';
import { fetchProfile, type Profile } from './profile.ts';
import type { Renewal, TokenSource } from './renewal.ts';

/** What comes back from the authorization server with the user. Nothing of it is secret. */
export interface ReturnState {
  api: string;
}

/** The user's session with the authorization server, as far as this page knows it. */
export class Session implements TokenSource {
  readonly #manager: UserManager;
  readonly #configuration: Configuration;
  /** In memory alone, as is what the library keeps: a script that got into the page finds nothing in storage. */
  #user: User | undefined;
  #renewal: Promise<Renewal> | undefined;

  constructor(configuration: Configuration, appAddress: string) {
    this.#configuration = configuration;
    this.#manager = new UserManager({
      authority: configuration.issuer,
      client_id: configuration.clientId,
      redirect_uri: appAddress,
      post_logout_redirect_uri: appAddress,
      response_type: 'code',
      scope: requestedScope(configuration.openidScopes, configuration.scopePrefix),
      userStore: new WebStorageStateStore({ store: new InMemoryWebStorage() }),
      // State, nonce and PKCE verifier outlive the redirect; the library removes them when the user is back.
      stateStore: new WebStorageStateStore({ store: sessionStorage }),
      // The gate says when a token is too old. A timer would renew for a page that nobody looks at.
      automaticSilentRenew: false,
      // It would be asked at each renewal too, and if that failed, the rotated refresh token would be lost.
      loadUserInfo: false,
      requestTimeoutInSeconds: 10,
      fetchRequestCredentials: 'omit',
    });
  }

  /** Leaves the page; rejects if the authorization server cannot be reached or is not the one configured. */
  async signIn(state: ReturnState): Promise<void> {
    const issuer = await this.#manager.metadataService.getIssuer();
    if (issuer !== this.#configuration.issuer) throw new IssuerMismatch();
    await this.#manager.clearStaleState();
    await this.#manager.signinRedirect({
      state,
      nonce: crypto.randomUUID(),
      // Auth0's name for the API that the access token is for. Not a setting: it would go to the logout address too.
      extraQueryParams: { audience: this.#configuration.audience },
    });
  }

  /** Takes the answer from the page's address; rejects if it is an error or does not belong to a sign-in of this tab. */
  async finishSignIn(address: string): Promise<ReturnState | undefined> {
    this.#user = await this.#manager.signinRedirectCallback(address);
    return returnState(this.#user.state);
  }

  accessToken(): string | undefined {
    return this.#user?.access_token;
  }

  /** Who is signed in. Drafts are kept under it. */
  sub(): string | undefined {
    return this.#user?.profile.sub;
  }

  /** By what was granted, which may be less than what was asked for. */
  abilities(): Abilities {
    return abilities(this.#user?.scope ?? '', this.#configuration.scopePrefix);
  }

  async profile(): Promise<Profile | undefined> {
    const user = this.#user;
    if (!user) return undefined;
    try {
      const endpoint = await this.#manager.metadataService.getUserInfoEndpoint();
      return await fetchProfile(endpoint, user.access_token, user.profile.sub, fetch);
    } catch {
      return undefined;
    }
  }

  async renew(): Promise<Renewal> {
    this.#renewal = this.#renewOnce();
    return this.#renewal;
  }

  /** Forgets the tokens, here and in the library. */
  async forget(): Promise<void> {
    this.#user = undefined;
    await this.#manager.removeUser();
  }

  /** Revokes, forgets and leaves for the authorization server's logout; rejects if it has none or cannot be reached. */
  async signOut(): Promise<void> {
    // A renewal that is under way would bring back what is forgotten here.
    await this.#renewal;
    const idToken = this.#user?.id_token;
    // The access token is a JWT that the gate checks by itself: revoking it would change nothing, it expires soon.
    // Where revocation fails, the end of the session below still ends what hangs on it.
    await this.#manager.revokeTokens(['refresh_token']).catch(() => undefined);
    await this.forget();
    await this.#manager.signoutRedirect(idToken === undefined ? {} : { id_token_hint: idToken });
  }

  async #renewOnce(): Promise<Renewal> {
    // Without a refresh token the library would try a hidden frame, which browsers that partition cookies break.
    if (!this.#user?.refresh_token) {
      await this.forget();
      return 'ended';
    }
    try {
      const user = await this.#manager.signinSilent();
      // Whoever was signed out meanwhile stays signed out.
      if (user && this.#user) {
        this.#user = user;
        return 'renewed';
      }
    } catch (error) {
      // Not logged: the library's error holds the request, and with it the refresh token.
      if (!(error instanceof ErrorResponse) || TRANSIENT.has(error.error ?? '')) return 'unavailable';
    }
    await this.forget();
    return 'ended';
  }
}

/** The authorization server calls itself something else than config.json does; its tokens would be refused. */
export class IssuerMismatch extends Error {
  override name = 'IssuerMismatch';
}

/** Error codes that say nothing about the refresh token (RFC 6749, section 4.1.2.1, and what Auth0 sends with 429). */
const TRANSIENT = new Set(['server_error', 'temporarily_unavailable', 'too_many_requests', 'slow_down']);

function returnState(state: unknown): ReturnState | undefined {
  if (typeof state !== 'object' || state === null || !('api' in state)) return undefined;
  return typeof state.api === 'string' ? { api: state.api } : undefined;
}
