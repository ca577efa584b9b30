/** The log: a line for each decision, with names alone. No token, code, secret or password has a field here. */

/** Of a text that is not ours, this much is kept. */
const MAX_CHARACTERS = 200;

/**
 * @typedef {'event' | 'outcome' | 'client' | 'grant' | 'account' | 'scope' | 'error' | 'reason' | 'kid'} Field
 * @typedef {(fields: Partial<Record<Field, string | undefined>>) => void} Journal
 */

/**
 * A log that writes to a stream.
 *
 * @param {{ write(text: string): unknown }} stream
 * @returns {Journal}
 */
export function journalTo(stream) {
  return (fields) => {
    const said = Object.entries(fields).filter(([, value]) => value !== undefined);
    const words = said.map(([name, value]) => `${name}=${quoted(String(value))}`);
    stream.write(`${new Date().toISOString()} ${words.join(' ')}\n`);
  };
}

/** @param {string} value */
function quoted(value) {
  const short = value.slice(0, MAX_CHARACTERS);
  // JSON escapes line feeds, so one decision stays one line.
  return /^[A-Za-z0-9_.:@|-]+$/.test(short) ? short : JSON.stringify(short);
}

/**
 * Writes down what the provider decides.
 *
 * @param {import('oidc-provider').Provider} provider
 * @param {Journal} journal
 */
export function keepJournal(provider, journal) {
  /** @typedef {import('oidc-provider').KoaContextWithOIDC} Context */

  /**
   * The client as it is registered: an unknown one may have any name.
   *
   * @param {Context} ctx
   */
  const client = (ctx) => ctx.oidc?.client?.clientId ?? 'unknown';
  const account = (/** @type {Context} */ ctx) => ctx.oidc?.account?.accountId ?? ctx.oidc?.session?.accountId;
  const grant = (/** @type {Context} */ ctx) => {
    const type = ctx.oidc?.params?.grant_type;
    return typeof type === 'string' ? type : undefined;
  };

  provider.on('authorization.success', (ctx) => {
    journal({ event: 'authorize', outcome: 'granted', client: client(ctx), account: account(ctx) });
  });
  provider.on('authorization.error', (ctx, error) => {
    journal({ event: 'authorize', outcome: 'refused', client: client(ctx), account: account(ctx), error: error.message });
  });
  provider.on('grant.success', (ctx) => {
    const body = /** @type {{ scope?: string }} */ (ctx.body);
    journal({ event: 'token', outcome: 'granted', client: client(ctx), grant: grant(ctx), account: account(ctx), scope: body.scope });
  });
  provider.on('grant.error', (ctx, error) => {
    const reason = detail(error);
    journal({ event: 'token', outcome: 'refused', client: client(ctx), grant: grant(ctx), error: error.message, reason });
  });
  provider.on('grant.revoked', (ctx) => {
    journal({ event: 'grant', outcome: 'ended', client: client(ctx) });
  });
  provider.on('registration_create.success', (_ctx, made) => {
    journal({ event: 'register', outcome: 'granted', client: made.clientId });
  });
  provider.on('registration_create.error', (_ctx, error) => {
    journal({ event: 'register', outcome: 'refused', error: error.message });
  });
  provider.on('userinfo.error', (ctx, error) => {
    journal({ event: 'userinfo', outcome: 'refused', client: client(ctx), error: error.message });
  });
  provider.on('revocation.error', (ctx, error) => {
    journal({ event: 'revoke', outcome: 'refused', client: client(ctx), error: error.message });
  });
  provider.on('end_session.success', (ctx) => {
    journal({ event: 'logout', outcome: 'done', client: client(ctx) });
  });
  provider.on('end_session.error', (ctx, error) => {
    journal({ event: 'logout', outcome: 'refused', client: client(ctx), error: error.message });
  });
  provider.on('server_error', (_ctx, error) => {
    journal({ event: 'server', outcome: 'failed', error: error.name, reason: error.message });
  });
}

/**
 * Why a grant was refused, in the provider's fixed words ("refresh token already used"). Of other errors the detail may quote the request.
 *
 * @param {{ message: string, error_detail?: string }} error
 */
function detail(error) {
  return error.message === 'invalid_grant' ? error.error_detail : undefined;
}
