/** The conversation with a person: login and consent. */

import { readFileSync } from 'node:fs';

import { errors } from 'oidc-provider';

import { Busy } from './accounts.js';
import { isFirstParty } from './clients.js';
import { askedOf, resourcesOf } from './interaction-policy.js';
import { isFromOtherOrigin } from './origins.js';
import { showConsent } from './pages/consent.js';
import { showLogin } from './pages/login.js';
import { showTrouble } from './pages/trouble.js';
import { permitted, settle } from './scopes.js';

const STYLE = readFileSync(new URL('pages/style.css', import.meta.url));

/** A name, a password and a dozen scopes. */
const MAX_FORM_BYTES = 4096;

/** @typedef {import('koa').Context} Context */
/** @typedef {Awaited<ReturnType<import('oidc-provider').Provider['interactionDetails']>>} Details */

/**
 * @typedef {object} Settings
 * @property {string} issuer
 * @property {import('oidc-provider').Provider} provider
 * @property {import('./accounts.js').Accounts} accounts
 * @property {import('./attempts.js').Attempts} attempts
 * @property {import('./journal.js').Journal} journal
 */

/**
 * Where a person is sent to be asked.
 *
 * @param {unknown} _ctx
 * @param {{ uid: string, prompt: { name: string } }} interaction
 */
export async function interactionUrl(_ctx, interaction) {
  return `/u/${interaction.prompt.name}/${interaction.uid}`;
}

/**
 * @param {Settings} settings
 * @returns {import('koa').Middleware}
 */
export function interactions(settings) {
  return async (ctx, next) => {
    if (ctx.path === '/u/style.css' && ['GET', 'HEAD'].includes(ctx.method)) {
      ctx.set({ 'cache-control': 'max-age=3600', 'x-content-type-options': 'nosniff' });
      ctx.type = 'css';
      ctx.body = STYLE;
      return;
    }
    const [, kind, uid] = /^\/u\/(login|consent)\/([\w-]{1,64})$/.exec(ctx.path) ?? [];
    if (kind === undefined || !['GET', 'HEAD', 'POST'].includes(ctx.method)) {
      await next();
      return;
    }
    try {
      const details = await settings.provider.interactionDetails(ctx.req, ctx.res);
      if (details.uid !== uid || details.prompt.name !== kind) {
        throw new errors.SessionNotFound('another page is due');
      }
      const form = ctx.method === 'POST' ? await readForm(ctx, settings.issuer) : undefined;
      await (kind === 'login' ? login(settings, ctx, details, form) : consent(settings, ctx, details, form));
    } catch (error) {
      if (!(error instanceof errors.OIDCProviderError)) {
        throw error;
      }
      ctx.status = error.statusCode;
      const late = error instanceof errors.SessionNotFound;
      showTrouble(ctx, {
        title: late ? 'This page has expired' : 'This did not work',
        sentence: late ? 'You waited for long, or went on in another window.' : error.error_description,
      });
    }
  };
}

/**
 * @param {Settings} settings
 * @param {Context} ctx
 * @param {Details} details
 * @param {URLSearchParams | undefined} form
 */
async function login({ provider, accounts, attempts, journal }, ctx, details, form) {
  const client = await clientOf(provider, details);
  const name = form?.get('name') ?? String(details.params['login_hint'] ?? '').slice(0, 100);
  const page = {
    client: nameOf(client),
    firstParty: isFirstParty(client),
    redirectUri: details.params['redirect_uri'],
    name,
  };
  if (form === undefined) {
    return showLogin(ctx, page);
  }
  const note = { event: 'login', client: client.clientId };
  if (form.get('answer') === 'cancel') {
    journal({ ...note, outcome: 'refused', error: 'access_denied', reason: 'cancelled' });
    return resume(provider, ctx, { error: 'access_denied', error_description: 'the login was cancelled' });
  }
  // Only names that exist are written down: people type passwords into the wrong field.
  const account = accounts.find(name.trim().toLowerCase())?.id ?? 'unknown';
  const wait = attempts.wait(name, Date.now() / 1000);
  if (wait > 0) {
    journal({ ...note, outcome: 'refused', account, reason: 'too many attempts' });
    ctx.status = 429;
    ctx.set('retry-after', String(wait));
    return showLogin(ctx, { ...page, error: `Too many attempts. Wait ${wait} seconds, then try again.` });
  }
  try {
    const person = await accounts.authenticate(name, form.get('password') ?? '');
    if (person === undefined) {
      attempts.failed(name, Date.now() / 1000);
      journal({ ...note, outcome: 'refused', account, reason: 'wrong name or password' });
      ctx.status = 401;
      return showLogin(ctx, { ...page, error: 'Name or password is wrong.' });
    }
    attempts.succeeded(name);
    journal({ ...note, outcome: 'granted', account: person.id });
    return await resume(provider, ctx, { login: { accountId: person.id, amr: ['pwd'] } });
  } catch (error) {
    if (!(error instanceof Busy)) {
      throw error;
    }
    ctx.status = 503;
    ctx.set('retry-after', '1');
    return showLogin(ctx, { ...page, error: 'Too many people log in right now. Try again.' });
  }
}

/**
 * @param {Settings} settings
 * @param {Context} ctx
 * @param {Details} details
 * @param {URLSearchParams | undefined} form
 */
async function consent({ provider, accounts, journal }, ctx, details, form) {
  const client = await clientOf(provider, details);
  const person = accounts.find(details.session?.accountId);
  if (person === undefined) {
    throw new errors.SessionNotFound('nobody is logged in');
  }
  const asked = askedOf(details.params);
  const possible = permitted(asked, person, isFirstParty(client));
  if (form === undefined) {
    return showConsent(ctx, {
      client: nameOf(client),
      firstParty: isFirstParty(client),
      person: person.name,
      redirectUri: details.params['redirect_uri'],
      possible,
      refused: asked.filter((scope) => !possible.includes(scope)),
    });
  }
  const note = { event: 'consent', client: client.clientId, account: person.id };
  if (form.get('answer') !== 'allow') {
    journal({ ...note, outcome: 'refused', error: 'access_denied' });
    return resume(provider, ctx, { error: 'access_denied', error_description: 'the person declined' });
  }
  const ticked = form.getAll('scope');
  const granted = possible.filter((scope) => scope === 'openid' || ticked.includes(scope));
  const grant = new provider.Grant({ accountId: person.id, clientId: client.clientId });
  settle(grant, { asked, granted, resources: resourcesOf(details.params) });
  // The newer answer counts: what the client had from this session ends.
  const earlier = details.grantId === undefined ? undefined : await provider.Grant.find(details.grantId);
  await earlier?.destroy();
  journal({ ...note, outcome: 'granted', scope: granted.join(' ') });
  return resume(provider, ctx, { consent: { grantId: await grant.save() } });
}

/**
 * Back to the authorization endpoint, with what came out.
 *
 * @param {import('oidc-provider').Provider} provider
 * @param {Context} ctx
 * @param {import('oidc-provider').InteractionResults} result
 */
async function resume(provider, ctx, result) {
  const returnTo = await provider.interactionResult(ctx.req, ctx.res, result);
  ctx.status = 303;
  ctx.set('cache-control', 'no-store');
  ctx.redirect(returnTo);
}

/**
 * @param {import('oidc-provider').Provider} provider
 * @param {Details} details
 */
async function clientOf(provider, details) {
  const client = await provider.Client.find(String(details.params['client_id']));
  if (client === undefined) {
    throw new errors.SessionNotFound('the client is gone');
  }
  return client;
}

/** @param {import('oidc-provider').Client} client */
function nameOf(client) {
  return client.clientName ?? client.clientId;
}

/**
 * @param {Context} ctx
 * @param {string} issuer
 */
async function readForm(ctx, issuer) {
  if (isFromOtherOrigin(ctx, issuer)) {
    throw new errors.InvalidRequest('The form was sent by another page.', 403);
  }
  if (!ctx.is('application/x-www-form-urlencoded')) {
    throw new errors.InvalidRequest('A form was expected.', 415);
  }
  const chunks = [];
  let bytes = 0;
  for await (const chunk of ctx.req) {
    bytes += chunk.length;
    if (bytes > MAX_FORM_BYTES) {
      throw new errors.InvalidRequest('The form is too large.', 413);
    }
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
