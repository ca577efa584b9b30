import { type Entry, newestFirst, totalHours } from '../timesheet.ts';
import { button, element, icon } from './element.ts';
import { dayInWords, entryInWords, hoursInWords } from './words.ts';

const BIN = 'M4 7h16M9.5 7V4.5h5V7M6.5 7l.8 12.5h9.4L17.5 7M10 11v5M14 11v5';

/** The user's entries with their total. */
export class EntryList {
  readonly element: HTMLElement;
  // Some browsers take a list without bullets for no list.
  readonly #list = element('ul', { role: 'list', 'aria-labelledby': 'entries-title', hidden: '' });
  readonly #placeholder = element('p', { class: 'placeholder' }, 'Loading…');
  readonly #total = element('strong', { 'data-testid': 'total' });
  readonly #title = element('h2', { id: 'entries-title', tabindex: '-1' }, 'Your entries');
  readonly #remove: (entry: Entry) => void;
  #entries: Entry[] = [];
  #removable = false;

  constructor(remove: (entry: Entry) => void) {
    this.#remove = remove;
    this.element = element(
      'section',
      { class: 'card entry-list', 'aria-labelledby': 'entries-title' },
      element('div', { class: 'card-title' }, this.#title, element('p', { class: 'total' }, 'Total ', this.#total)),
      element('div', { 'data-testid': 'entries' }, this.#list, this.#placeholder),
    );
  }

  get entries(): readonly Entry[] {
    return this.#entries;
  }

  show(entries: readonly Entry[]): void {
    this.#entries = newestFirst(entries);
    this.#draw();
  }

  showFailure(): void {
    this.show([]);
    this.#total.textContent = '–';
    this.#placeholder.textContent = 'Your entries could not be loaded.';
  }

  set removable(removable: boolean) {
    if (this.#removable === removable) return;
    this.#removable = removable;
    if (this.#entries.length > 0) this.#draw();
  }

  /** Takes an entry out and gives the focus to the one that took its place, or else to the title. */
  takeOut(id: number): void {
    const place = this.#entries.findIndex((entry) => entry.id === id);
    this.show(this.#entries.filter((entry) => entry.id !== id));
    const items = this.#list.children;
    const next = items[Math.min(Math.max(place, 0), items.length - 1)];
    (next?.querySelector('button') ?? this.#title).focus();
  }

  #draw(): void {
    this.#list.replaceChildren(...this.#entries.map((entry) => this.#item(entry)));
    const empty = this.#entries.length === 0;
    this.#list.hidden = empty;
    this.#placeholder.hidden = !empty;
    this.#placeholder.textContent = 'No entries yet.';
    this.#total.textContent = `${hoursInWords(totalHours(this.#entries))} h`;
  }

  #item(entry: Entry): HTMLElement {
    const item = element(
      'li',
      { class: 'entry', 'data-testid': 'entry', 'data-entry-id': String(entry.id) },
      element('time', { class: 'entry-day', datetime: entry.date }, dayInWords(entry.date)),
      element('span', { class: 'entry-project' }, entry.project),
      element('span', { class: 'entry-hours' }, `${hoursInWords(entry.hours)} h`),
    );
    if (this.#removable) {
      const name = `Remove ${entryInWords(entry)}`;
      const attributes = { class: 'icon-button', 'aria-label': name, title: 'Remove', 'data-testid': 'entry-remove' };
      item.append(button(attributes, icon(BIN), () => this.#remove(entry)));
    }
    return item;
  }
}
