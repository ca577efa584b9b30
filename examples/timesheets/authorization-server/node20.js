/**
 * What the OpenID provider's package takes from Node 22 and Node 20 lacks: `URL.parse`, which answers null where the constructor
 * throws (WHATWG URL Standard, section 6.1). Newer Nodes keep their own.
 */
if (typeof URL.parse !== 'function') {
  URL.parse = (url, base) => {
    try {
      return new URL(url, base);
    } catch {
      return null;
    }
  };
}
