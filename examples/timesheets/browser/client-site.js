/** Somebody else's site on this machine: a page, and the redirect URI of a client that registered itself. */

import { createServer } from 'node:http';

export class ClientSite {
  #server;

  /** Starts it on a free port. */
  static async start() {
    const server = createServer((_request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end('<!doctype html><title>Somebody else</title><h1>Somebody else</h1>');
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(undefined)));
    // Where an earlier hook fails, the later ones are not run, and nobody stops it.
    server.unref();
    return new ClientSite(server);
  }

  /** @param {import('node:http').Server} server */
  constructor(server) {
    this.#server = server;
    const address = /** @type {import('node:net').AddressInfo} */ (server.address());
    this.origin = `http://127.0.0.1:${address.port}`;
    this.redirectUri = `${this.origin}/callback`;
  }

  /**
   * What the authorization server sends the browser back with.
   *
   * @param {import('playwright-core').Page} page
   */
  async answer(page) {
    await page.waitForURL((url) => url.href.startsWith(this.redirectUri));
    return new URL(page.url()).searchParams;
  }

  async stop() {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(() => resolve(undefined)));
  }
}
