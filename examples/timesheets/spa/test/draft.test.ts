import assert from 'node:assert/strict';
import { test } from 'node:test';

import { type DraftStorage, dropDraft, keepDraft, takeDraft } from '../src/draft.ts';

const DRAFT = { date: '2026-03-02', project: 'apollo', hours: '7.5' };

class Storage extends Map<string, string> implements DraftStorage {
  getItem(key: string): string | null {
    return this.get(key) ?? null;
  }
  setItem(key: string, value: string): void {
    this.set(key, value);
  }
  removeItem(key: string): void {
    this.delete(key);
  }
}

test('its owner gets the draft back, once', () => {
  const storage = new Storage();
  keepDraft(storage, 'alice', DRAFT);
  assert.deepEqual(takeDraft(storage, 'alice'), DRAFT);
  assert.equal(takeDraft(storage, 'alice'), undefined);
  assert.equal(storage.size, 0);
});

test('another user gets nothing, and leaves nothing', () => {
  const storage = new Storage();
  keepDraft(storage, 'alice', DRAFT);
  assert.equal(takeDraft(storage, 'bob'), undefined);
  assert.equal(storage.size, 0);
});

test('signing out drops it', () => {
  const storage = new Storage();
  keepDraft(storage, 'alice', DRAFT);
  dropDraft(storage);
  assert.equal(takeDraft(storage, 'alice'), undefined);
});

test('what is no draft is none', () => {
  const storage = new Storage();
  for (const kept of ['', '{', 'null', '[]', '{"sub":"alice"}', '{"sub":"alice","date":1,"project":"","hours":""}']) {
    storage.set('timesheets.draft', kept);
    assert.equal(takeDraft(storage, 'alice'), undefined, kept);
  }
  keepDraft(storage, 'alice', { ...DRAFT, project: 'x'.repeat(2000) });
  assert.equal(storage.size, 0);
});
