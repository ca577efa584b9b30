import { isObject, jsonBody } from './body.ts';
import type { FieldError } from './outcome.ts';

/** The members of `application/problem+json` (RFC 9457) that the app shows. */
export interface Problem {
  title: string;
  errors: FieldError[];
}

const MAX_BYTES = 64 * 1024;
const MAX_ERRORS = 20;
const MAX_TEXT = 300;

/** The problem in a refusal's body; where there is none, a title made of the status. */
export async function problemOf(response: Response): Promise<Problem> {
  const nameless = { title: `The timesheets service answered with status ${response.status}.`, errors: [] };
  const type = response.headers.get('content-type') ?? '';
  if (!/^application\/(problem\+)?json\s*(;|$)/i.test(type)) return nameless;

  const json = await jsonBody(response, MAX_BYTES);
  if (!isObject(json)) return nameless;
  const { title, errors } = json;
  return {
    title: isText(title) ? title.slice(0, MAX_TEXT) : nameless.title,
    errors: Array.isArray(errors) ? errors.slice(0, MAX_ERRORS).flatMap(fieldError) : [],
  };
}

/** Seconds from `now` (milliseconds since 1970) to a `Retry-After` (RFC 9110, section 10.2.3), at most an hour. */
export function retryAfter(header: string | null, now: number): number | undefined {
  if (header === null || header.length > 40) return undefined;
  const value = header.trim();
  const seconds = /^\d+$/.test(value) ? Number(value) : Math.ceil((Date.parse(value) - now) / 1000);
  return Number.isFinite(seconds) ? Math.min(Math.max(seconds, 1), 3600) : undefined;
}

function fieldError(error: unknown): FieldError[] {
  if (!isObject(error) || !isText(error['field']) || !isText(error['message'])) return [];
  return [{ field: error['field'].slice(0, MAX_TEXT), message: error['message'].slice(0, MAX_TEXT) }];
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}
