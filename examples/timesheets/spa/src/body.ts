/**
 * The JSON of a response, or undefined if it is none, cannot be read to its end or has more than `maxBytes`.
 * Rejects for no reason, so that a broken body is not taken for a broken network.
 */
export async function jsonBody(response: Response, maxBytes: number): Promise<unknown> {
  try {
    return JSON.parse(await textWithin(response, maxBytes));
  } catch {
    return undefined;
  }
}

async function textWithin(response: Response, maxBytes: number): Promise<string> {
  if (!response.body) return '';
  const reader = response.body.getReader();
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let text = '';
  let length = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    length += value.byteLength;
    if (length > maxBytes) {
      await reader.cancel();
      throw new RangeError('the body is too long');
    }
    text += decoder.decode(value, { stream: true });
  }
}

/** Whether it is a JSON object, as opposed to an array or null. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
