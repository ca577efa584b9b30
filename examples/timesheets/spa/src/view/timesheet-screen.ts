import type { Abilities } from '../abilities.ts';
import type { ApiClient } from '../api-client.ts';
import type { Draft } from '../draft.ts';
import type { Failure, Outcome } from '../outcome.ts';
import type { Profile } from '../profile.ts';
import { addEntry, type Entry, listEntries, type NewEntry, removeEntry } from '../timesheet.ts';
import { apiNote } from './api-note.ts';
import { element } from './element.ts';
import { EntryForm } from './entry-form.ts';
import { EntryList } from './entry-list.ts';
import type { Notice } from './notice.ts';
import { pageHeader } from './page-header.ts';
import { askForRemoval } from './removal-dialog.ts';
import { dayInWords, remedy, sentence } from './words.ts';

export interface TimesheetContext {
  api: { name: string; base: string };
  client: ApiClient;
  profile: Promise<Profile | undefined>;
  notice: Notice;
  /** The day that the form starts with, `2026-03-02`. */
  today: string;
  signOut: () => void;
  /** Called when the API takes the sign-in no longer. */
  signedOut: (failure: Failure) => void;
}

/** The screen of a user who is signed in. */
export class TimesheetScreen {
  readonly element: HTMLElement;
  readonly #context: TimesheetContext;
  readonly #form: EntryForm;
  readonly #list: EntryList;
  readonly #main: HTMLElement;
  /** Answers that arrive after the screen was left are nobody's any more. */
  #left = false;

  constructor(context: TimesheetContext, abilities: Abilities) {
    this.#context = context;
    this.#form = new EntryForm(context.today, (entry) => this.#add(entry));
    this.#list = new EntryList((entry) => void this.#remove(entry));
    this.#main = element(
      'main',
      { class: 'timesheet' },
      element('h1', { tabindex: '-1' }, 'Timesheet'),
      apiNote(context.api),
      this.#form.element,
      this.#list.element,
    );
    this.element = element('div', { class: 'page' }, pageHeader(context.profile, context.signOut), this.#main);
    this.setAbilities(abilities);
    void this.#load();
  }

  /** Shows the buttons that make sense; a renewed token may have been granted less, or more. */
  setAbilities({ add, remove }: Abilities): void {
    this.#form.element.hidden = !add;
    this.#main.classList.toggle('without-form', !add);
    this.#list.removable = remove;
  }

  draft(): Draft | undefined {
    return this.#form.draft();
  }

  fill(draft: Draft): void {
    this.#form.fill(draft);
  }

  leave(): void {
    this.#left = true;
  }

  async #load(): Promise<void> {
    await this.#attempt(
      () => listEntries(this.#context.client),
      (entries) => this.#list.show(entries),
      () => {
        this.#list.showFailure();
      },
    );
  }

  async #add(entry: NewEntry): Promise<void> {
    this.#context.notice.clear();
    await this.#attempt(
      () => addEntry(this.#context.client, entry),
      (added) => {
        this.#list.show([...this.#list.entries, added]);
        this.#form.startNext();
        const text = `Added ${added.hours} h for ${added.project} on ${dayInWords(added.date)}.`;
        this.#context.notice.show({ tone: 'good', text });
      },
      (failure) => {
        if (failure.kind !== 'invalid') return;
        const others = this.#form.showErrors(failure.errors).map(({ message }) => message);
        const text = [failure.title, ...others].join(' – ');
        this.#context.notice.show({ tone: 'bad', text });
      },
    );
  }

  async #remove(entry: Entry): Promise<void> {
    this.#context.notice.clear();
    if (await askForRemoval(entry, this.element)) await this.#removeNow(entry);
  }

  async #removeNow(entry: Entry): Promise<void> {
    await this.#attempt(
      () => removeEntry(this.#context.client, entry.id),
      () => {
        this.#list.takeOut(entry.id);
        this.#context.notice.show({ tone: 'good', text: `Removed the entry for ${entry.project} on ${dayInWords(entry.date)}.` });
      },
    );
  }

  /** Does it, and says what went wrong with a way on, if there is one. */
  async #attempt<T>(request: () => Promise<Outcome<T>>, done: (value: T) => void, failed?: (failure: Failure) => void): Promise<void> {
    const outcome = await request();
    if (this.#left) return;
    if (outcome.kind === 'done') return done(outcome.value);
    if (outcome.kind === 'signed-out') return this.#context.signedOut(outcome);

    const actions = {
      repeat: { label: 'Try again', run: () => void this.#attempt(request, done, failed) },
      reload: { label: 'Reload the list', run: () => void this.#load() },
    };
    const way = remedy(outcome);
    this.#context.notice.show({ tone: 'bad', text: sentence(outcome), ...(way && { action: actions[way] }) });
    failed?.(outcome);
  }
}
