/** The consent page: a person sees each scope, and unticks what a client shall not have. */

import { inWords } from '../scopes.js';
import { html, place, show } from './page.js';

/**
 * @param {import('koa').Context} ctx
 * @param {object} consent
 * @param {string} consent.client the name of the client that asks
 * @param {boolean} consent.firstParty
 * @param {string} consent.person
 * @param {unknown} consent.redirectUri
 * @param {string[]} consent.possible the scopes that can be granted
 * @param {string[]} consent.refused the scopes that cannot
 */
export function showConsent(ctx, { client, firstParty, person, redirectUri, possible, refused }) {
  const choices = possible.map((scope) => choice(scope));
  show(ctx, {
    title: `Allow ${client}? Timesheets example`,
    formTargets: [String(redirectUri)],
    body: html`<h1>Allow ${client}?</h1>
<p>You are <strong>${person}</strong>. <strong>${client}</strong> wants to act for you. You go back to
<span class="place">${place(redirectUri)}</span>.</p>
${firstParty ? '' : html`<p class="warning">This program registered itself here. Nobody has checked who is behind it.</p>`}
<form method="post">
${
  choices.length > 0
    ? html`<fieldset>
<legend>It may</legend>
${choices}
</fieldset>`
    : html`<p>It asks for nothing that can be granted.</p>`
}
${refused.length > 0 ? html`<p>It also asked for <code>${refused.join(' ')}</code>, and does not get that.</p>` : ''}
<div class="buttons">
<button name="answer" value="allow">Allow</button>
<button class="quiet" name="answer" value="deny">Deny</button>
</div>
</form>`,
  });
}

/** @param {string} scope */
function choice(scope) {
  // Without it there is nobody to log in; who does not want that denies.
  const fixed = scope === 'openid';
  return html`<div class="choice">
<input type="checkbox" id="${scope}" name="scope" value="${scope}" checked${fixed ? ' disabled' : ''}>
<label for="${scope}">${inWords(scope)} <code>${scope}</code></label>
</div>
`;
}
