import type { Failure } from '../outcome.ts';
import type { Entry } from '../timesheet.ts';

/** A failure in a sentence for people. */
export function sentence(failure: Failure): string {
  switch (failure.kind) {
    case 'signed-out':
      return failure.cause === 'ended'
        ? 'Your session ended. Sign in again.'
        : 'The timesheets service did not accept your sign-in. Sign in again.';
    case 'forbidden':
      return failure.scope === undefined
        ? `You may not do this. The timesheets service says: ${failure.title}.`
        : `You may not do this: your sign-in lacks the permission ${failure.scope}.`;
    case 'invalid':
      return failure.title;
    case 'not-ready':
      return failure.seconds === undefined
        ? 'The timesheets service is not ready. Try again in a moment.'
        : `The timesheets service is not ready. Try again in ${seconds(failure.seconds)}.`;
    case 'unreachable':
      if (failure.party === 'authorization-server') {
        return 'Your access ran out, and the sign-in service did not answer. Try again in a moment.';
      }
      return failure.sent
        ? 'The timesheets service did not answer. Whether this was carried out is not known: look at the list before you repeat it.'
        : 'The timesheets service cannot be reached. Check your connection and try again.';
    case 'problem':
      return failure.title;
  }
}

/** What helps: to repeat the same request, or to look first at what is there. */
export function remedy(failure: Failure): 'repeat' | 'reload' | undefined {
  switch (failure.kind) {
    case 'not-ready':
      return 'repeat';
    case 'unreachable':
      return failure.sent ? 'reload' : 'repeat';
    case 'problem':
      return failure.status >= 500 || failure.status === 404 ? 'reload' : undefined;
    case 'signed-out':
    case 'forbidden':
    case 'invalid':
      return undefined;
  }
}

/** Why signing in failed, from the code in the address (RFC 6749, section 4.1.2.1). Its description could be anybody's words. */
export function signInFailure(code: string | undefined): string {
  if (code === 'access_denied') return 'Signing in was refused or broken off.';
  const known = code !== undefined && /^[a-z_]{1,40}$/.test(code) ? ` (${code})` : '';
  return `Signing in did not work${known}. Try again.`;
}

const DAY = new Intl.DateTimeFormat('en-GB', {
  weekday: 'short',
  day: 'numeric',
  month: 'short',
  year: 'numeric',
  timeZone: 'UTC',
});
const HOURS = new Intl.NumberFormat('en-GB', { maximumFractionDigits: 2 });

/** `Mon, 2 Mar 2026`. A day that no calendar has is shown as it came. */
export function dayInWords(date: string): string {
  const day = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(day.getTime()) ? date : DAY.format(day);
}

export function hoursInWords(hours: number): string {
  return HOURS.format(hours);
}

export function entryInWords({ date, project, hours }: Entry): string {
  return `${dayInWords(date)}, ${project}, ${hoursInWords(hours)} ${hours === 1 ? 'hour' : 'hours'}`;
}

function seconds(count: number): string {
  return count === 1 ? '1 second' : `${count} seconds`;
}
