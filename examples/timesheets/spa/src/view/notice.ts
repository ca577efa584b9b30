import { button, element, icon } from './element.ts';

export interface Message {
  tone: 'good' | 'bad';
  text: string;
  action?: { label: string; run: () => void };
}

/** How long good news stays. Bad news stays until something else happens. */
const GOOD_NEWS_MS = 8000;

/** The one place for messages. It outlives the screens: a live region is read out only if it was there before its text. */
export class Notice {
  readonly element: HTMLElement;
  readonly #text = element('p', { class: 'notice-text', role: 'status', 'aria-live': 'polite', 'data-testid': 'message' });
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.element = element('div', { class: 'notice' }, this.#text);
  }

  show({ tone, text, action }: Message): void {
    this.clear();
    this.element.dataset['tone'] = tone;
    this.#text.textContent = text;
    if (action) {
      const run = (): void => {
        this.clear();
        action.run();
      };
      this.element.append(button({ class: 'plain', 'data-testid': 'message-action' }, action.label, run));
    }
    const cross = icon('M6 6l12 12M18 6L6 18');
    this.element.append(button({ class: 'icon-button', 'aria-label': 'Close this message' }, cross, () => this.clear()));
    if (tone === 'good') this.#timer = setTimeout(() => this.clear(), GOOD_NEWS_MS);
  }

  clear(): void {
    clearTimeout(this.#timer);
    // A button that has the focus must not take it along into nothing.
    const focused = this.element.contains(document.activeElement);
    delete this.element.dataset['tone'];
    this.#text.textContent = '';
    for (const control of this.element.querySelectorAll('button')) control.remove();
    if (focused) document.querySelector<HTMLElement>('h1')?.focus();
  }
}
