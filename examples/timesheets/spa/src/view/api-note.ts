import { DEFAULT_API } from '../configuration.ts';
import { element } from './element.ts';

/** Says which API is used, where it is not the app's own origin; otherwise nothing. */
export function apiNote({ name, base }: { name: string; base: string }): Node {
  if (name === DEFAULT_API) return document.createDocumentFragment();
  const at = base === '' ? '' : ` at ${base}`;
  return element('p', { class: 'api-note' }, 'This page uses the API ', element('strong', { 'data-testid': 'api-name' }, name), `${at}.`);
}
