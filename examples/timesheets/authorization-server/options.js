/** The arguments of the program. */

import { parseArgs } from 'node:util';

import { originOf } from './clients.js';
import { USUAL_AUDIENCE } from './scopes.js';

const DAY_SECONDS = 86_400;

/** More origins than an example has; each is one redirect URI of the app. */
const MAX_ORIGINS = 10;

export const HELP = `An authorization server on this machine, laid out like an Auth0 tenant

Usage: node server.js [options]

  --port NUMBER                 where it listens on 127.0.0.1; 0 lets the system choose [default: 9101]
  --app-origin ORIGIN           where the app is served, as in http://127.0.0.1:8080; may be given more than once
                                [default: http://127.0.0.1:8080]
  --audience URI                the API that access tokens are for [default: ${USUAL_AUDIENCE}]
  --access-token-seconds NUMBER how long an access token lasts, at most a day [default: 300]
  --help                        this text

When it listens it prints one line of JSON: the issuer, and the secret of the client timesheets-batch, made anew at each start.
Its log goes to standard error. POST /rotate makes a new signing key, POST /rotate?drop=old also takes the older ones back.
Ctrl-C ends it. Exit status: 0 when it was ended, 1 when it cannot listen, 2 when an option is wrong.

Everything is kept in memory and is gone when it ends. It is an example: its users and their password are public.
`;

/** An option that cannot be taken. */
export class InvalidOption extends Error {}

/**
 * @typedef {object} Options
 * @property {number} port
 * @property {string[]} appOrigins
 * @property {string} audience
 * @property {number} accessTokenSeconds
 */

/**
 * What was asked for, or null for the help text.
 *
 * @param {string[]} args
 * @returns {Options | null}
 */
export function readOptions(args) {
  const { values } = parsed(args);
  if (values.help) {
    return null;
  }
  const origins = values['app-origin'] ?? ['http://127.0.0.1:8080'];
  if (origins.length > MAX_ORIGINS) {
    throw new InvalidOption(`--app-origin is given ${origins.length} times, and ${MAX_ORIGINS} are the most`);
  }
  return {
    port: whole('--port', values.port ?? '9101', 0, 65_535),
    appOrigins: [...new Set(origins.map(origin))],
    audience: audience(values.audience ?? USUAL_AUDIENCE),
    accessTokenSeconds: whole('--access-token-seconds', values['access-token-seconds'] ?? '300', 1, DAY_SECONDS),
  };
}

/** @param {string[]} args */
function parsed(args) {
  try {
    return parseArgs({
      args,
      options: {
        port: { type: 'string' },
        'app-origin': { type: 'string', multiple: true },
        audience: { type: 'string' },
        'access-token-seconds': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
  } catch (error) {
    throw new InvalidOption(error instanceof Error ? error.message : String(error));
  }
}

/**
 * @param {string} option
 * @param {string} text
 * @param {number} least
 * @param {number} most
 */
function whole(option, text, least, most) {
  const number = /^[0-9]{1,9}$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= least && number <= most)) {
    throw new InvalidOption(`${option} ${text}: write a whole number from ${least} to ${most}`);
  }
  return number;
}

/** @param {string} text */
function origin(text) {
  const known = originOf(text);
  if (known === undefined || (text !== known && text !== `${known}/`)) {
    throw new InvalidOption(`--app-origin ${text}: write scheme, host and port alone, as in http://127.0.0.1:8080`);
  }
  return known;
}

/** @param {string} text */
function audience(text) {
  // RFC 8707 section 2: an absolute URI without a fragment.
  if (!URL.canParse(text) || text.includes('#')) {
    throw new InvalidOption(`--audience ${text}: write an absolute URI without #, as in ${USUAL_AUDIENCE}`);
  }
  return text;
}
