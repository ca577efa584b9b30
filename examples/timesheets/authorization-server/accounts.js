/** The people of the example, and their password. */

import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

const ENTRIES = ['read:timesheets', 'create:timesheets', 'delete:timesheets'];

/** It stands on the login page: this is an example. */
const PASSWORD = 'timesheets';

/** Longer ones are not hashed: NIST SP 800-63B asks that at least 64 characters be taken. */
const MAX_PASSWORD_CHARACTERS = 128;

/** OWASP's password storage cheat sheet: N=2^14, r=8, p=5, which takes 16 MiB. */
const COST = { N: 2 ** 14, r: 8, p: 5, maxmem: 32 * 1024 * 1024 };

/** Each comparison takes a core for a while; more at a time are turned away. */
const MAX_COMPARISONS = 8;

/** @typedef {typeof COST} Cost */

/** @type {(password: string, salt: Buffer, length: number, cost: Cost) => Promise<Buffer>} */
const hash = promisify(scrypt);

/**
 * @typedef {object} Person
 * @property {string} id also what they type as their name
 * @property {string} name
 * @property {readonly string[]} permissions the scopes of the API that they may have
 * @property {readonly string[]} roles
 */

/** @type {readonly Person[]} */
const PEOPLE = [
  { id: 'alice', name: 'Alice', permissions: ENTRIES, roles: [] },
  { id: 'bob', name: 'Bob', permissions: ['read:timesheets'], roles: [] },
  { id: 'carol', name: 'Carol', permissions: ENTRIES, roles: ['auditor'] },
];

/** Too many passwords are being compared. */
export class Busy extends Error {}

/** The accounts, each with the hash of its password. */
export class Accounts {
  #people = new Map(PEOPLE.map((person) => [person.id, person]));

  /** @type {Map<string, { salt: Buffer, hash: Buffer }>} */
  #secrets = new Map();

  #comparing = 0;

  #cost;

  /** @param {Cost} cost */
  constructor(cost) {
    this.#cost = cost;
  }

  /**
   * In an example the hashes are made at the start; elsewhere they are what is stored.
   *
   * @param {Cost} [cost] tests log in often, and what a password costs is not what most of them are about
   */
  static async open(cost = COST) {
    const accounts = new Accounts(cost);
    // The empty name is nobody's. Its hash is compared for names that are unknown, so that they take as long.
    const hashed = ['', ...accounts.#people.keys()].map(async (id) => {
      const salt = randomBytes(16);
      const password = id === '' ? randomBytes(16).toString('hex') : PASSWORD;
      accounts.#secrets.set(id, { salt, hash: await hash(password, salt, 32, cost) });
    });
    await Promise.all(hashed);
    return accounts;
  }

  /** @param {string | undefined} id */
  find(id) {
    return id === undefined ? undefined : this.#people.get(id);
  }

  /**
   * The person with that name and password.
   *
   * @param {string} name
   * @param {string} password
   */
  async authenticate(name, password) {
    if (this.#comparing >= MAX_COMPARISONS) {
      throw new Busy();
    }
    const person = this.find(name.trim().toLowerCase());
    const secret = this.#secrets.get(person?.id ?? '');
    if (secret === undefined || password.length > MAX_PASSWORD_CHARACTERS) {
      return undefined;
    }
    this.#comparing += 1;
    try {
      const offered = await hash(password, secret.salt, 32, this.#cost);
      return timingSafeEqual(offered, secret.hash) ? person : undefined;
    } finally {
      this.#comparing -= 1;
    }
  }
}

/**
 * What a person's scopes tell of them (OpenID Connect Core 1.0 section 5.4).
 *
 * @param {Person} person
 * @param {readonly string[]} scopes
 */
export function claims(person, scopes) {
  return {
    sub: person.id,
    ...(scopes.includes('profile') ? { name: person.name, nickname: person.id } : undefined),
    ...(scopes.includes('email') ? { email: `${person.id}@example.com`, email_verified: true } : undefined),
  };
}

/** Which claims each scope opens: what the provider picks from all of them. */
export const CLAIMS = {
  openid: ['sub'],
  profile: ['name', 'nickname'],
  email: ['email', 'email_verified'],
};
