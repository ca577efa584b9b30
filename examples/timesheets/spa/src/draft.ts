import { isObject } from './body.ts';

/** What was typed into the form and not yet sent. */
export interface Draft {
  date: string;
  project: string;
  hours: string;
}

/** The part of `Storage` that is used. */
export interface DraftStorage {
  getItem(key: string): string | null;
  setItem(key: string, value: string): void;
  removeItem(key: string): void;
}

const KEY = 'timesheets.draft';

/** Longer than any valid entry: what does not fit was no entry. */
const MAX_LENGTH = 2000;

/** Keeps a draft for the time it takes to sign in again, with whose it is. */
export function keepDraft(storage: DraftStorage, sub: string, draft: Draft): void {
  const kept = JSON.stringify({ sub, ...draft });
  if (kept.length <= MAX_LENGTH) storage.setItem(KEY, kept);
}

/** Gives the draft back to its owner, once. Another user does not see it, and then it is gone. */
export function takeDraft(storage: DraftStorage, sub: string): Draft | undefined {
  const kept = storage.getItem(KEY);
  storage.removeItem(KEY);
  return kept === null || kept.length > MAX_LENGTH ? undefined : draftOf(sub, kept);
}

export function dropDraft(storage: DraftStorage): void {
  storage.removeItem(KEY);
}

function draftOf(sub: string, kept: string): Draft | undefined {
  let json: unknown;
  try {
    json = JSON.parse(kept);
  } catch {
    return undefined;
  }
  if (!isObject(json) || json['sub'] !== sub) return undefined;
  const { date, project, hours } = json;
  if (typeof date !== 'string' || typeof project !== 'string' || typeof hours !== 'string') return undefined;
  return { date, project, hours };
}
