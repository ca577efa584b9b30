import type { Entry } from '../timesheet.ts';
import { button, element } from './element.ts';
import { entryInWords } from './words.ts';

/** Asks before an entry is removed: it cannot be brought back. A native dialog: it holds the focus, and Escape keeps the entry. */
export function askForRemoval(entry: Entry, within: HTMLElement): Promise<boolean> {
  return new Promise((resolve) => {
    const close = (answer: string) => () => dialog.close(answer);
    const dialog = element(
      'dialog',
      { class: 'card', 'aria-labelledby': 'removal-title', 'aria-describedby': 'removal-entry', 'data-testid': 'remove-dialog' },
      element('h2', { id: 'removal-title' }, 'Remove this entry?'),
      element('p', { id: 'removal-entry' }, `${entryInWords(entry)}.`),
      element(
        'div',
        { class: 'dialog-buttons' },
        button({ class: 'plain', 'data-testid': 'remove-cancel' }, 'Keep it', close('keep')),
        button({ class: 'danger', 'data-testid': 'remove-confirm' }, 'Remove', close('remove')),
      ),
    );
    dialog.addEventListener('close', () => {
      dialog.remove();
      resolve(dialog.returnValue === 'remove');
    });
    within.append(dialog);
    dialog.showModal();
  });
}
