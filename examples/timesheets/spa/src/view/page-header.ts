import type { Profile } from '../profile.ts';
import { brand, button, element } from './element.ts';

/** The header; the room for the profile is kept free until it is there. */
export function pageHeader(profile: Promise<Profile | undefined>, signOut: () => void): HTMLElement {
  const name = element('span', { class: 'profile-name', 'data-testid': 'profile-name' });
  const email = element('span', { class: 'profile-email', 'data-testid': 'profile-email' });
  void profile.then((known) => {
    name.textContent = known?.name ?? (known?.email === undefined ? 'Signed in' : '');
    email.textContent = known?.email ?? '';
  });
  return element(
    'header',
    { class: 'page-header' },
    element(
      'div',
      { class: 'page-header-inner' },
      brand(),
      element('div', { class: 'profile' }, name, email),
      button({ class: 'plain', 'data-testid': 'sign-out' }, 'Sign out', signOut),
    ),
  );
}
