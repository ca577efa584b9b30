/** The signing keys over time: the one that signs, and those that did. */

import { calculateJwkThumbprint, createLocalJWKSet, exportJWK, generateKeyPair } from 'jose';

/** A gate reads 50 keys and 64 KiB of a set; this is far below both, and more than anybody rotates within a token's life. */
const MAX_KEYS = 8;

/** How long others may keep the key set, in seconds. It is the least that Scopegate heeds: a rotation shows as soon as can be. */
export const MAX_AGE_SECONDS = 60;

/** Private keys, the newest first. They never print. */
export class KeyRing {
  /** @type {import('jose').JWK[]} */
  #keys = [];

  static async open() {
    const ring = new KeyRing();
    await ring.rotate({ drop: false });
    return ring;
  }

  /**
   * A new key signs from now on. The old ones stay published, so that tokens in flight stay valid, unless they are dropped. The names of
   * all that are published.
   *
   * @param {{ drop: boolean }} what becomes of the old ones
   */
  async rotate({ drop }) {
    const { privateKey } = await generateKeyPair('RS256', { modulusLength: 2048, extractable: true });
    const jwk = await exportJWK(privateKey);
    // RFC 7638: a thumbprint names a key without a register of names.
    const kid = await calculateJwkThumbprint(jwk);
    const fresh = { ...jwk, kid, alg: 'RS256', use: 'sig' };
    this.#keys = [fresh, ...(drop ? [] : this.#keys)].slice(0, MAX_KEYS);
    return this.#keys.map((key) => key.kid);
  }

  /** For the provider alone. It signs with the first. */
  get privateKeys() {
    return structuredClone(this.#keys);
  }

  /** What a token is verified with. */
  get verifier() {
    return createLocalJWKSet({ keys: this.#keys.map(publicHalf) });
  }
}

/**
 * @param {import('jose').JWK} key
 * @returns {import('jose').JWK}
 */
function publicHalf({ kty, n, e, kid, alg, use }) {
  return /** @type {import('jose').JWK} */ ({ kty, n, e, kid, alg, use });
}
