import type { Draft } from '../draft.ts';
import type { FieldError } from '../outcome.ts';
import type { NewEntry } from '../timesheet.ts';
import { element } from './element.ts';

type FieldName = keyof NewEntry;

/** The form for a new entry. It checks what a browser can check; the API has the last word. */
export class EntryForm {
  readonly element: HTMLFormElement;
  readonly #fields: Record<FieldName, Field>;
  readonly #submit = element('button', { type: 'submit', class: 'primary wide', 'data-testid': 'add-submit' }, 'Add entry');
  #busy = false;

  constructor(today: string, add: (entry: NewEntry) => Promise<void>) {
    this.#fields = {
      date: new Field('date', 'Date', { type: 'date', value: today }),
      // A project's name has at most 100 characters, as the API counts them.
      project: new Field('project', 'Project', { type: 'text', maxlength: '100', autocapitalize: 'none', spellcheck: 'false' }),
      hours: new Field('hours', 'Hours', { type: 'number', min: '0.25', max: '24', step: '0.25', inputmode: 'decimal' }),
    };
    const { date, project, hours } = this.#fields;
    this.element = element(
      'form',
      { class: 'card entry-form', 'data-testid': 'add-form', 'aria-labelledby': 'entry-form-title', autocomplete: 'off' },
      element('h2', { id: 'entry-form-title' }, 'Add hours'),
      date.element,
      project.element,
      hours.element,
      this.#submit,
    );
    this.element.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send(add);
    });
  }

  /** What was typed, or undefined if nothing was: the date alone stands there from the start. */
  draft(): Draft | undefined {
    const draft = { date: this.#fields.date.value, project: this.#fields.project.value, hours: this.#fields.hours.value };
    return draft.project.trim() === '' && draft.hours === '' ? undefined : draft;
  }

  fill({ date, project, hours }: Draft): void {
    this.#fields.date.value = date;
    this.#fields.project.value = project;
    this.#fields.hours.value = hours;
  }

  /** Makes room for the next entry, most likely of the same day. */
  startNext(): void {
    this.#fields.project.value = '';
    this.#fields.hours.value = '';
    this.#fields.project.focus();
  }

  /** Shows what the API said beside the fields it said it of; gives back what belongs to no field. */
  showErrors(errors: readonly FieldError[]): FieldError[] {
    const others = errors.filter(({ field }) => !Object.hasOwn(this.#fields, field));
    const faulty = Object.values(this.#fields).filter((field) => {
      field.error = errors.filter((error) => error.field === field.name).map(({ message }) => message).join(' ');
      return field.error !== '';
    });
    faulty[0]?.focus();
    return others;
  }

  async #send(add: (entry: NewEntry) => Promise<void>): Promise<void> {
    if (this.#busy) return;
    this.#setBusy(true);
    this.showErrors([]);
    const { date, project, hours } = this.#fields;
    // Keyboards of phones leave a space after the last word.
    await add({ date: date.value, project: project.value.trim(), hours: Number(hours.value) });
    this.#setBusy(false);
  }

  /** Not `disabled`, which would drop the focus. */
  #setBusy(busy: boolean): void {
    this.#busy = busy;
    this.#submit.setAttribute('aria-disabled', String(busy));
  }
}

/** A labelled input with room for an error below. */
class Field {
  readonly element: HTMLElement;
  readonly #input: HTMLInputElement;
  readonly #error: HTMLElement;

  constructor(
    readonly name: FieldName,
    label: string,
    attributes: Record<string, string>,
  ) {
    const id = `entry-${name}`;
    this.#input = element('input', {
      id,
      name,
      required: '',
      'aria-describedby': `${id}-error`,
      'data-testid': `add-${name}`,
      ...attributes,
    });
    this.#error = element('p', { id: `${id}-error`, class: 'field-error', 'data-testid': `error-${name}` });
    this.element = element('div', { class: `field field-${name}` }, element('label', { for: id }, label), this.#input, this.#error);
  }

  get value(): string {
    return this.#input.value;
  }

  set value(value: string) {
    this.#input.value = value;
  }

  get error(): string {
    return this.#error.textContent ?? '';
  }

  set error(message: string) {
    this.#error.textContent = message;
    if (message === '') this.#input.removeAttribute('aria-invalid');
    else this.#input.setAttribute('aria-invalid', 'true');
  }

  focus(): void {
    this.#input.focus();
  }
}
