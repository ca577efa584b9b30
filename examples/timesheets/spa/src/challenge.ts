/** One challenge of a `WWW-Authenticate` header (RFC 9110, section 11.6.1). */
export interface Challenge {
  /** In lower case: schemes are compared without case. */
  scheme: string;
  /** Names in lower case; of a quoted-string, what stands between the quotes, unescaped. */
  parameters: Map<string, string>;
}

/** What an OAuth resource server says about a refused token (RFC 6750, section 3). */
export interface BearerChallenge {
  error: string | undefined;
  scope: string | undefined;
}

/** A gate's challenge takes about 200 characters; a browser would take 256 KiB of headers. */
const MAX_LENGTH = 4096;

/** The first `Bearer` challenge, or undefined if there is none or the header is not well-formed. */
export function bearerChallenge(header: string | null): BearerChallenge | undefined {
  const bearer = challenges(header ?? '')?.find(({ scheme }) => scheme === 'bearer');
  return bearer && { error: bearer.parameters.get('error'), scope: bearer.parameters.get('scope') };
}

/** All challenges of a header, several headers being joined by commas; undefined if it is not well-formed. */
export function challenges(header: string): Challenge[] | undefined {
  if (header.length > MAX_LENGTH) return undefined;
  const found: Challenge[] = [];
  let rest = header;
  for (;;) {
    // A list may have empty elements (RFC 9110, section 5.6.1.2).
    rest = rest.replace(/^[ \t,]+/, '');
    if (rest === '') return found;

    const parameter = PARAMETER.exec(rest);
    const challenge = found.at(-1);
    if (parameter && challenge) {
      const name = (parameter[1] ?? '').toLowerCase();
      // Twice the same name has no meaning: neither of two scopes would be the right one.
      if (challenge.parameters.has(name)) return undefined;
      challenge.parameters.set(name, parameter[2] ?? unescaped(parameter[3] ?? ''));
      rest = rest.slice(parameter[0].length);
    } else {
      const scheme = SCHEME.exec(rest);
      if (!scheme) return undefined;
      found.push({ scheme: (scheme[1] ?? '').toLowerCase(), parameters: new Map() });
      rest = rest.slice(scheme[0].length);
      // Negotiate and its like send one token68 in the place of parameters; nothing here reads it.
      const token68 = TOKEN68.exec(rest);
      if (token68) rest = rest.slice(token68[0].length);
    }
    if (rest !== '' && !/^[ \t,]/.test(rest)) return undefined;
  }
}

const TOKEN = String.raw`[!#$%&'*+\-.^_\x60|~0-9A-Za-z]+`;
const QUOTED = String.raw`"((?:[\t \x21\x23-\x5B\x5D-\x7E\x80-\uFFFF]|\\[\t \x21-\x7E\x80-\uFFFF])*)"`;
const PARAMETER = new RegExp(String.raw`^(${TOKEN})[ \t]*=[ \t]*(?:(${TOKEN})|${QUOTED})(?=[ \t]*(?:,|$))`);
const SCHEME = new RegExp(String.raw`^(${TOKEN})(?= |[ \t]*(?:,|$))`);
const TOKEN68 = /^ +[A-Za-z0-9\-._~+/]+=*(?=[ \t]*(?:,|$))/;

function unescaped(quoted: string): string {
  return quoted.replace(/\\(.)/gs, '$1');
}
