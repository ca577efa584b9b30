import { apiNote } from './api-note.ts';
import { brand, button, element } from './element.ts';

export interface SignInActions {
  api: { name: string; base: string };
  /** Where the button leads, as shown. */
  issuer: string;
  /** Leaves the page, or rejects after it has said why not. */
  signIn: () => Promise<void>;
}

export function signInScreen({ api, issuer, signIn }: SignInActions): HTMLElement {
  let leaving = false;
  const start = async (): Promise<void> => {
    if (leaving) return;
    setLeaving(true);
    try {
      await signIn();
    } catch {
      setLeaving(false);
    }
  };
  // Not `disabled`, which would drop the focus.
  const setLeaving = (now: boolean): void => {
    leaving = now;
    signInButton.setAttribute('aria-disabled', String(now));
  };
  const signInButton = button({ class: 'primary wide', 'data-testid': 'sign-in' }, 'Sign in', () => void start());

  return element(
    'main',
    { class: 'sign-in card' },
    element('h1', { tabindex: '-1' }, brand()),
    element('p', {}, 'Send in the hours you worked, and see what you sent in so far.'),
    signInButton,
    element('p', { class: 'quiet' }, `You sign in at ${new URL(issuer).host} and come back here. This page never sees your password.`),
    apiNote(api),
  );
}
