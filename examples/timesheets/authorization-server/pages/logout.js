/** The pages of logging out. */

import { isFirstParty } from '../clients.js';
import { html, show, trusted } from './page.js';

/** @typedef {import('oidc-provider').KoaContextWithOIDC} Context */

/**
 * The question, whether to log out. The provider's form carries its protection against forgery.
 *
 * Our own app, with an ID token of the person who is logged in, has asked already: then the page answers for itself. It is the provider's
 * own way of getting from the GET of an app to the POST that ends the session. Without scripts the person presses the button.
 *
 * @param {Context} ctx
 * @param {string} form
 */
export async function showLogout(ctx, form) {
  const { client, entities, params, session } = ctx.oidc;
  const hint = /** @type {{ payload?: { sub?: string } } | undefined} */ (entities['IdTokenHint']);
  const settled = isFirstParty(client) && hint?.payload?.sub === session?.accountId;
  show(ctx, {
    title: 'Log out: timesheets example',
    formTargets: [/** @type {string | undefined} */ (params?.['post_logout_redirect_uri'])],
    ...(settled ? { script: 'document.querySelector("button[name=logout]").click()' } : undefined),
    body: html`<h1>Log out?</h1>
<p>You are logged in as <strong>${session?.accountId}</strong>.</p>
${trusted(form)}
<div class="buttons">
<button form="op.logoutForm" name="logout" value="yes" autofocus>Log out</button>
<button class="quiet" form="op.logoutForm">Stay logged in</button>
</div>`,
  });
}

/**
 * Where a person ends who is to go nowhere else.
 *
 * @param {Context} ctx
 */
export async function showLoggedOut(ctx) {
  // The provider names the client if its session alone was ended.
  const stays = ctx.oidc.client !== undefined;
  show(ctx, {
    title: stays ? 'Still logged in: timesheets example' : 'Logged out: timesheets example',
    body: stays
      ? html`<h1>Still logged in</h1>
<p><strong>${ctx.oidc.client?.clientName ?? ctx.oidc.client?.clientId}</strong> has to ask again.</p>`
      : html`<h1>Logged out</h1>
<p>You can close this page.</p>`,
  });
}
