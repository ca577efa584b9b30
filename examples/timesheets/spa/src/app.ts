import { ErrorResponse } from 'oidc-client-ts';

import { apiClient } from './api-client.ts';
import { chooseApi, type Configuration } from './configuration.ts';
import { dropDraft, keepDraft, takeDraft } from './draft.ts';
import { IssuerMismatch, type Session } from './session.ts';
import { element } from './view/element.ts';
import type { Message, Notice } from './view/notice.ts';
import { signInScreen } from './view/sign-in-screen.ts';
import { TimesheetScreen } from './view/timesheet-screen.ts';
import { sentence, signInFailure } from './view/words.ts';

export interface Parts {
  configuration: Configuration;
  session: Session;
  notice: Notice;
  /** Where the screens go. */
  place: HTMLElement;
}

/** Leads from screen to screen. */
export class App {
  readonly #parts: Parts;
  #api: { name: string; base: string };

  constructor(parts: Parts, apiName: string | undefined) {
    this.#parts = parts;
    this.#api = chooseApi(parts.configuration, apiName);
  }

  /** The name of the API in use, for the page's address. */
  get apiName(): string {
    return this.#api.name;
  }

  /** Starts on a page that the authorization server sent the browser back to, with its answer in `address`. */
  async startWithAnswer(address: string): Promise<void> {
    const { configuration, session } = this.#parts;
    try {
      const state = await session.finishSignIn(address);
      this.#api = chooseApi(configuration, state?.api);
      this.#showTimesheet();
    } catch (error) {
      await session.forget();
      this.showSignIn({ tone: 'bad', text: signInFailure(error instanceof ErrorResponse ? error.error ?? undefined : undefined) });
    }
  }

  showSignIn(message?: Message): void {
    const { configuration, notice } = this.#parts;
    this.#show('sign-in', signInScreen({ api: this.#api, issuer: configuration.issuer, signIn: () => this.#signIn() }));
    if (message) notice.show(message);
  }

  async #signIn(): Promise<void> {
    const { session, notice } = this.#parts;
    notice.clear();
    try {
      await session.signIn({ api: this.#api.name });
    } catch (error) {
      const text =
        error instanceof IssuerMismatch
          ? 'The sign-in service has another name than config.json says. The issuer must be the same to the last character.'
          : 'The sign-in service cannot be reached. Try again in a moment.';
      notice.show({ tone: 'bad', text });
      throw error;
    }
  }

  #showTimesheet(): void {
    const { session, notice } = this.#parts;
    // Kept here: when the session has ended, it does not know any more whose it was.
    const sub = session.sub() ?? '';
    const source = {
      accessToken: () => session.accessToken(),
      renew: async () => {
        const renewal = await session.renew();
        if (renewal === 'renewed') screen.setAbilities(session.abilities());
        return renewal;
      },
    };
    const screen = new TimesheetScreen(
      {
        api: this.#api,
        client: apiClient(this.#api.base, source, (input, init) => fetch(input, init)),
        profile: session.profile(),
        notice,
        today: today(new Date()),
        signOut: () => {
          screen.leave();
          void this.#signOut();
        },
        signedOut: (failure) => {
          screen.leave();
          const draft = screen.draft();
          if (draft) keepDraft(sessionStorage, sub, draft);
          void session.forget();
          this.showSignIn({ tone: 'bad', text: sentence(failure) });
        },
      },
      session.abilities(),
    );
    this.#show('timesheet', screen.element);

    const draft = takeDraft(sessionStorage, sub);
    if (draft) {
      screen.fill(draft);
      notice.show({ tone: 'good', text: 'What you had typed is back in the form.' });
    }
  }

  async #signOut(): Promise<void> {
    // First of all, so that nothing of the user is left should the browser keep the page for its back button.
    this.#show('sign-in', element('p', { class: 'waiting' }, 'Signing out…'));
    dropDraft(sessionStorage);
    try {
      await this.#parts.session.signOut();
    } catch {
      const text = 'You are signed out here. The sign-in service could not be told: there, you may still be signed in.';
      this.showSignIn({ tone: 'bad', text });
    }
  }

  #show(name: string, screen: HTMLElement): void {
    const { place, notice } = this.#parts;
    notice.clear();
    document.body.dataset['screen'] = name;
    place.replaceChildren(screen);
    // A screen reader goes on from the new screen's heading rather than from the top of the page.
    place.querySelector<HTMLElement>('h1')?.focus();
  }
}

/** The day where the user is, which may not be the day in Greenwich. */
function today(now: Date): string {
  const two = (part: number): string => String(part).padStart(2, '0');
  return `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
}
