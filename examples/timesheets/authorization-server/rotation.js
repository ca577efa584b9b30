/** `POST /rotate`: a new signing key. */

import { isFromPage, problem } from './origins.js';

/** Making a key takes a core for a while. */
const MIN_INTERVAL_MS = 100;

/**
 * @param {(how: { drop: boolean }) => Promise<(string | undefined)[]>} rotate answers with the names of the keys that are published
 * @returns {import('koa').Middleware}
 */
export function rotation(rotate) {
  let turn = Promise.resolve();
  let waiting = 0;
  return async (ctx, next) => {
    if (ctx.path !== '/rotate') {
      return next();
    }
    if (ctx.method !== 'POST') {
      ctx.set('allow', 'POST');
      return problem(ctx, 405, 'New keys are made by POST');
    }
    if (isFromPage(ctx)) {
      return problem(ctx, 403, 'No web page makes new keys');
    }
    if (!['', 'drop=old'].includes(ctx.querystring)) {
      return problem(ctx, 400, '/rotate keeps the old keys published, /rotate?drop=old does not');
    }
    if (waiting >= 4) {
      return problem(ctx, 503, 'Keys are being made already');
    }
    waiting += 1;
    const mine = turn.then(() => rotate({ drop: ctx.querystring === 'drop=old' }));
    turn = mine.then(pause, pause);
    try {
      ctx.set('cache-control', 'no-store');
      ctx.body = { kids: await mine };
    } finally {
      waiting -= 1;
    }
  };
}

function pause() {
  return new Promise((resolve) => {
    setTimeout(resolve, MIN_INTERVAL_MS).unref();
  }).then(() => undefined);
}
