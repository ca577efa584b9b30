/** Failed passwords, counted by name, so that nobody guesses on. */

const WINDOW_SECONDS = 60;

/** A person mistypes now and then; a guesser needs thousands. */
const MAX_FAILURES = 5;

/** Over all names: one password can be tried with many. */
const MAX_FAILURES_IN_ALL = 100;

/** Names are what anybody types. The oldest gives way. */
const MAX_NAMES = 1000;

/** All names together. A name has no line feed. */
const ALL = '\n';

/** Times are in seconds, and the caller says what time it is. */
export class Attempts {
  /** @type {Map<string, { failures: number, until: number }>} */
  #names = new Map();

  /**
   * Seconds until this name may be tried again; 0 when it may be now.
   *
   * @param {string} name
   * @param {number} now
   */
  wait(name, now) {
    return Math.max(this.#left(ALL, MAX_FAILURES_IN_ALL, now), this.#left(key(name), MAX_FAILURES, now));
  }

  /**
   * @param {string} name
   * @param {number} now
   */
  failed(name, now) {
    this.#count(key(name), now);
    // Counted last, so that it is never the oldest.
    this.#count(ALL, now);
  }

  /** @param {string} name */
  succeeded(name) {
    this.#names.delete(key(name));
  }

  get size() {
    return this.#names.size;
  }

  /**
   * @param {string} key
   * @param {number} most
   * @param {number} now
   */
  #left(key, most, now) {
    const seen = this.#names.get(key);
    return seen && seen.failures >= most && seen.until > now ? Math.ceil(seen.until - now) : 0;
  }

  /**
   * @param {string} key
   * @param {number} now
   */
  #count(key, now) {
    const seen = this.#names.get(key);
    const going = seen !== undefined && seen.until > now;
    this.#names.delete(key);
    this.#names.set(key, {
      failures: going ? seen.failures + 1 : 1,
      until: going ? seen.until : now + WINDOW_SECONDS,
    });
    const [oldest] = this.#names.keys();
    if (this.#names.size > MAX_NAMES && oldest !== undefined) {
      this.#names.delete(oldest);
    }
  }
}

/** @param {string} name */
function key(name) {
  return name.trim().toLowerCase().slice(0, 100);
}
