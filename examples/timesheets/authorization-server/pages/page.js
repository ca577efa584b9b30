/** What all pages have in common: HTML that is escaped, and headers that let nothing else in. */

import { createHash } from 'node:crypto';

import { originOf } from '../clients.js';

/** HTML that may stand in a page as it is. */
class Html {
  /** @param {string} text */
  constructor(text) {
    this.text = text;
  }
}

/** @typedef {Html | string | number | undefined | null | false | Part[]} Part */

/**
 * A template: what is put in is escaped, unless it came from here.
 *
 * @param {TemplateStringsArray} strings
 * @param {Part[]} parts
 */
export function html(strings, ...parts) {
  return new Html(strings.reduce((text, string, i) => text + escaped(parts[i - 1]) + string));
}

/**
 * HTML of the provider's own.
 *
 * @param {string} text
 */
export function trusted(text) {
  return new Html(text);
}

/**
 * @param {Part} part
 * @returns {string}
 */
function escaped(part) {
  if (part instanceof Html) {
    return part.text;
  }
  if (Array.isArray(part)) {
    return part.map(escaped).join('');
  }
  if (part === undefined || part === null || part === false) {
    return '';
  }
  return String(part).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** What a browser is told of any page but its policy. */
const GUARDS = {
  'x-frame-options': 'DENY',
  'x-content-type-options': 'nosniff',
  // `no-referrer` would also hide the origin of our own forms from us.
  'referrer-policy': 'same-origin',
};

/**
 * The part of the policy that is every page's.
 *
 * @param {string} scripts those that run
 */
function policy(scripts) {
  return `default-src 'none'; script-src ${scripts}; frame-ancestors 'none'; base-uri 'none'`;
}

/**
 * The provider has pages of its own: a form that posts itself, where another person logs in or nobody was, and those that say where a
 * redirection leads. They are framed and extended by nobody either. Where a policy is there beforehand, the provider adds its script to it.
 *
 * @type {import('koa').Middleware}
 */
export async function guardPages(ctx, next) {
  ctx.set({ ...GUARDS, 'content-security-policy': policy('') });
  await next();
}

/**
 * Answers with a page.
 *
 * @param {import('koa').Context} ctx
 * @param {object} page
 * @param {string} page.title
 * @param {Html} page.body
 * @param {(string | undefined)[]} [page.formTargets] where else than here a form may lead, by redirection: browsers check that as well
 * @param {string} [page.script] the only script that runs
 */
export function show(ctx, { title, body, formTargets = [], script }) {
  const origins = formTargets.map((target) => originOf(String(target))).filter((origin) => origin !== undefined);
  const scripts = script === undefined ? "'none'" : `'sha256-${createHash('sha256').update(script).digest('base64')}'`;
  ctx.set({
    ...GUARDS,
    'content-security-policy': [
      "style-src 'self'",
      `form-action ${["'self'", ...new Set(origins)].join(' ')}`,
      policy(scripts),
    ].join('; '),
    'cache-control': 'no-store',
  });
  ctx.type = 'html';
  ctx.body = html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
<link rel="stylesheet" href="/u/style.css">
</head>
<body>
<main>
${body}
</main>
${script === undefined ? '' : trusted(`<script>${script}</script>`)}
</body>
</html>
`.text;
}

/**
 * A URI as people read it: where it leads, without the rest.
 *
 * @param {unknown} uri
 */
export function place(uri) {
  return typeof uri === 'string' && URL.canParse(uri) ? new URL(uri).origin : 'nowhere';
}
