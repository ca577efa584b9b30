import { type ApiClient, unexpected } from './api-client.ts';
import { isObject } from './body.ts';
import type { Outcome } from './outcome.ts';

export interface Entry {
  id: number;
  /** A calendar day, `2026-03-02`. */
  date: string;
  project: string;
  hours: number;
}

export type NewEntry = Omit<Entry, 'id'>;

export async function listEntries(api: ApiClient): Promise<Outcome<Entry[]>> {
  const outcome = await api({ method: 'GET', path: '/timesheets' });
  if (outcome.kind !== 'done') return outcome;
  const entries = isObject(outcome.value) ? outcome.value['entries'] : undefined;
  return Array.isArray(entries) && entries.every(isEntry) ? done(entries) : unexpected(200);
}

export async function addEntry(api: ApiClient, entry: NewEntry): Promise<Outcome<Entry>> {
  const outcome = await api({ method: 'POST', path: '/timesheets', body: entry });
  if (outcome.kind !== 'done') return outcome;
  return isEntry(outcome.value) ? done(outcome.value) : unexpected(201);
}

export async function removeEntry(api: ApiClient, id: number): Promise<Outcome<undefined>> {
  const outcome = await api({ method: 'DELETE', path: `/timesheets/${id}` });
  return outcome.kind === 'done' ? done(undefined) : outcome;
}

/** The newest first; of one day, the one added last. */
export function newestFirst(entries: readonly Entry[]): Entry[] {
  return entries.toSorted((a, b) => b.date.localeCompare(a.date, 'en') || b.id - a.id);
}

/** Hours come in quarters; sums of hundredths stay exact where sums of fractions do not. */
export function totalHours(entries: readonly Entry[]): number {
  return entries.reduce((sum, { hours }) => sum + Math.round(hours * 100), 0) / 100;
}

function isEntry(value: unknown): value is Entry {
  return (
    isObject(value) &&
    Number.isSafeInteger(value['id']) &&
    typeof value['date'] === 'string' &&
    /^\d{4}-\d\d-\d\d$/.test(value['date']) &&
    typeof value['project'] === 'string' &&
    typeof value['hours'] === 'number'
  );
}

function done<T>(value: T): Outcome<T> {
  return { kind: 'done', value };
}
