/** All tokens, codes and client secrets that a test file came across: what no log and no refusal may repeat. */

/** A secret of the example is longer; a shorter text could stand somewhere by chance. */
const LEAST_CHARACTERS = 16;

export class Secrets {
  /** @type {Map<string, string>} */
  #known = new Map();

  /**
   * @param {string} name for people
   * @param {unknown} secret
   */
  add(name, secret) {
    if (typeof secret !== 'string' || secret.length < LEAST_CHARACTERS) {
      return;
    }
    // The signature makes a JWT a token, and a log that cuts or decodes the rest may still hold it.
    const signature = secret.split('.').at(-1) ?? '';
    this.#known.set(signature.length < LEAST_CHARACTERS ? secret : signature, name);
  }

  /** @param {Record<string, unknown>} answer of a token endpoint */
  addTokens(answer) {
    for (const name of ['access_token', 'refresh_token', 'id_token', 'client_secret']) {
      this.add(name, answer[name]);
    }
  }

  get size() {
    return this.#known.size;
  }

  /**
   * The names of those that stand in a text.
   *
   * @param {string} text
   */
  in(text) {
    return [...this.#known].filter(([secret]) => text.includes(secret)).map(([, name]) => name);
  }
}
