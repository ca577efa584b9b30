/** What the provider remembers, in memory: sessions, codes, tokens, grants, registered clients. */

import { errors } from 'oidc-provider';

/**
 * The most entries of each kind. Of one kind the oldest gives way to a new one; a flood of one kind leaves the others alone. A kind that
 * is not named here is not in use.
 */
const MOST = new Map([
  ['Session', 1000],
  ['Interaction', 1000],
  ['Grant', 5000],
  ['AuthorizationCode', 1000],
  ['AccessToken', 5000],
  ['RefreshToken', 10_000],
  // Tokens of the kind below are JWTs for the API; nothing of them is kept.
  ['ClientCredentials', 100],
  ['Client', 200],
]);

const MOST_OF_OTHERS = 100;

/** Clients that registered themselves do not give way to others: that would let anybody push them out. They end after a day. */
const CLIENT_SECONDS = 24 * 60 * 60;

/** Kinds that end with the grant they belong to. */
const OF_A_GRANT = ['AccessToken', 'AuthorizationCode', 'RefreshToken'];

/** @typedef {import('oidc-provider').AdapterPayload} Payload */

/** Everything of one server. It outlives the provider, which is made anew when the keys change. */
export class Store {
  /** @type {Map<string, Shelf>} */
  #shelves = new Map();

  /**
   * The provider's access to one kind.
   *
   * @param {string} kind
   * @returns {import('oidc-provider').Adapter}
   */
  adapter(kind) {
    const shelf = this.shelf(kind);
    const absent = async () => undefined;
    return {
      upsert: async (id, payload, seconds) => shelf.put(id, payload, seconds, Date.now()),
      find: async (id) => shelf.find(id, Date.now()),
      findByUid: async (uid) => shelf.findByUid(uid, Date.now()),
      // No device flow.
      findByUserCode: absent,
      destroy: async (id) => shelf.remove(id),
      consume: async (id) => this.#consume(shelf, id),
      revokeByGrantId: async (grant) => shelf.removeOfGrant(grant),
    };
  }

  /** @param {string} kind */
  shelf(kind) {
    const shelf = this.#shelves.get(kind) ?? new Shelf(kind, MOST.get(kind) ?? MOST_OF_OTHERS);
    this.#shelves.set(kind, shelf);
    return shelf;
  }

  /**
   * The provider looks whether a code or token was used before, and marks it later. Two requests at a time could both find it unused; here
   * the second one is found out, and ends the grant as any other second use does (RFC 9700 section 4.14.2).
   *
   * @param {Shelf} shelf
   * @param {string} id
   */
  #consume(shelf, id) {
    const payload = shelf.find(id, Date.now());
    if (payload === undefined || payload.consumed) {
      const grant = payload?.grantId;
      if (grant !== undefined) {
        OF_A_GRANT.forEach((kind) => this.shelf(kind).removeOfGrant(grant));
        this.shelf('Grant').remove(grant);
      }
      throw new errors.InvalidGrant('already used');
    }
    payload.consumed = Math.floor(Date.now() / 1000);
  }
}

/** Entries of one kind, the oldest first. Times are in milliseconds. */
export class Shelf {
  /** @type {Map<string, { payload: Payload, until: number }>} */
  #entries = new Map();

  /** @type {Map<string, Set<string>>} */
  #ofGrants = new Map();

  /** @type {Map<string, string>} */
  #ofUids = new Map();

  #kind;

  #most;

  /**
   * @param {string} kind
   * @param {number} most
   */
  constructor(kind, most) {
    this.#kind = kind;
    this.#most = most;
  }

  get size() {
    return this.#entries.size;
  }

  /** @param {number} now */
  *payloads(now) {
    for (const { payload, until } of this.#entries.values()) {
      if (until > now) {
        yield payload;
      }
    }
  }

  /**
   * @param {string} id
   * @param {number} now
   */
  find(id, now) {
    const entry = this.#entries.get(id);
    if (entry !== undefined && entry.until <= now) {
      this.remove(id);
      return undefined;
    }
    return entry?.payload;
  }

  /**
   * @param {string} uid
   * @param {number} now
   */
  findByUid(uid, now) {
    const id = this.#ofUids.get(uid);
    return id === undefined ? undefined : this.find(id, now);
  }

  /**
   * @param {string} id
   * @param {Payload} payload
   * @param {number | undefined} seconds
   * @param {number} now
   */
  put(id, payload, seconds, now) {
    this.remove(id);
    this.#makeRoom(now);
    this.#entries.set(id, { payload, until: now + (seconds ?? CLIENT_SECONDS) * 1000 });
    if (payload.grantId !== undefined) {
      const of = this.#ofGrants.get(payload.grantId) ?? new Set();
      this.#ofGrants.set(payload.grantId, of.add(id));
    }
    if (payload.uid !== undefined) {
      this.#ofUids.set(payload.uid, id);
    }
  }

  /** @param {string} id */
  remove(id) {
    const payload = this.#entries.get(id)?.payload;
    this.#entries.delete(id);
    if (payload?.grantId !== undefined) {
      const of = this.#ofGrants.get(payload.grantId);
      of?.delete(id);
      if (of?.size === 0) {
        this.#ofGrants.delete(payload.grantId);
      }
    }
    if (payload?.uid !== undefined && this.#ofUids.get(payload.uid) === id) {
      this.#ofUids.delete(payload.uid);
    }
  }

  /** @param {string} grant */
  removeOfGrant(grant) {
    for (const id of this.#ofGrants.get(grant) ?? []) {
      this.remove(id);
    }
  }

  /** @param {number} now */
  #makeRoom(now) {
    if (this.#entries.size < this.#most) {
      return;
    }
    for (const [id, { until }] of this.#entries) {
      if (until <= now) {
        this.remove(id);
      }
    }
    const [oldest] = this.#entries.keys();
    if (this.#entries.size < this.#most || oldest === undefined) {
      return;
    }
    if (this.#kind === 'Client') {
      const full = new errors.TemporarilyUnavailable(`${this.#most} clients are registered, and there is room for no more`);
      full.status = 503;
      full.statusCode = 503;
      throw full;
    }
    this.remove(oldest);
  }
}
