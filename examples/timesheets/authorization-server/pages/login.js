/** The login page. */

import { html, place, show } from './page.js';

/**
 * @param {import('koa').Context} ctx
 * @param {object} login
 * @param {string} login.client the name of the client that asks
 * @param {boolean} login.firstParty
 * @param {unknown} login.redirectUri
 * @param {string} login.name what was typed as a name
 * @param {string} [login.error] why it did not work
 */
export function showLogin(ctx, { client, firstParty, redirectUri, name, error }) {
  const again = error !== undefined;
  show(ctx, {
    title: again ? 'Not logged in: timesheets example' : 'Log in: timesheets example',
    formTargets: [String(redirectUri)],
    body: html`<h1>Log in</h1>
<p><strong>${client}</strong> asks who you are. You go back to <span class="place">${place(redirectUri)}</span>.</p>
${firstParty ? '' : html`<p class="warning">This program registered itself here. Nobody has checked who is behind it.</p>`}
<form method="post">
${again ? html`<p class="error" role="alert" id="error">${error}</p>` : ''}
<label for="name">Name</label>
<input id="name" name="name" value="${name}" autocomplete="username" autocapitalize="none" spellcheck="false" maxlength="100" required
  ${again ? html`aria-invalid="true" aria-describedby="error"` : html`autofocus`}>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" maxlength="128" required
  ${again ? html`aria-invalid="true" aria-describedby="error" autofocus` : ''}>
<div class="buttons">
<button name="answer" value="login">Log in</button>
<button class="quiet" name="answer" value="cancel" formnovalidate>Cancel</button>
</div>
</form>
<aside>
<p>This is an example. There are <code>alice</code>, <code>bob</code> (reads only) and <code>carol</code> (an auditor); the password of each
is <code>timesheets</code>.</p>
</aside>`,
  });
}
