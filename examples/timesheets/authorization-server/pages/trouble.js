/** The page for what cannot go on. */

import { html, show } from './page.js';

/**
 * @param {import('koa').Context} ctx
 * @param {{ title?: string, sentence?: string | undefined, code?: string | undefined }} trouble
 */
export function showTrouble(ctx, { title = 'This did not work', sentence, code }) {
  show(ctx, {
    title: `${title}: timesheets example`,
    body: html`<h1>${title}</h1>
<p class="error" role="alert">${sentence ?? 'The request cannot be answered.'}</p>
${code === undefined ? '' : html`<p>Error code: <code>${code}</code></p>`}
<p>Go back to the app and start again from there.</p>`,
  });
}
