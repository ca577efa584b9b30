import { App } from './app.ts';
import { DEFAULT_API, fetchConfiguration, InvalidConfiguration } from './configuration.ts';
import { Session } from './session.ts';
import { element } from './view/element.ts';
import { Notice } from './view/notice.ts';

const place = document.querySelector<HTMLElement>('#screen') ?? document.body;

void start().catch((error: unknown) => {
  const reason = error instanceof InvalidConfiguration ? error.message : 'Something unforeseen happened. Reload the page.';
  document.body.dataset['screen'] = 'failure';
  place.replaceChildren(
    element(
      'main',
      { class: 'sign-in card', role: 'alert', 'data-testid': 'failure' },
      element('h1', {}, 'The app cannot start'),
      element('p', {}, reason),
    ),
  );
});

async function start(): Promise<void> {
  // Without it the browser has no SHA-256 for PKCE.
  if (!isSecureContext) throw new InvalidConfiguration('The app needs https, or http on a loopback address.');

  const configuration = await fetchConfiguration('/app/config.json', (input, init) => fetch(input, init));
  const address = new URL(location.href);
  const home = new URL('/', address).href;
  const notice = new Notice();
  place.after(notice.element);
  const session = new Session(configuration, home);

  const query = address.searchParams;
  const app = new App({ configuration, session, notice, place }, query.get('api') ?? undefined);
  if (query.has('state') && (query.has('code') || query.has('error'))) {
    // Used or not, the code has no business in the history.
    history.replaceState(null, '', home);
    await app.startWithAnswer(address.href);
    if (app.apiName !== DEFAULT_API) history.replaceState(null, '', `${home}?api=${encodeURIComponent(app.apiName)}`);
  } else {
    app.showSignIn();
  }

  // A page that comes out of the back button's cache has left for the authorization server before.
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted && session.accessToken() === undefined) app.showSignIn();
  });
}
