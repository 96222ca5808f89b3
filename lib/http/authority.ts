/**
 * Host and port as `Host` and absolute-form targets carry them (RFC 9110 §7.2, RFC 3986 §3.2).
 *
 * @module
 */

/** A host with its optional port, in canonical form. */
export interface Authority {
  /** Lower case; an IPv6 address keeps its brackets. */
  readonly host: string;
  /** `undefined` when none was given. */
  readonly port: number | undefined;
}

// Sub-delims and percent-encoding are legal in a reg-name but never in a name that DNS serves;
// "," and ";" would also let one value be read as two by the next hop.
const registeredName = /^[a-z0-9](?:[a-z0-9_.-]*[a-z0-9_.])?$/;
const addressLiteral = /^\[[0-9a-f:.]+\]$/;

/**
 * Reads `uri-host [":" port]`, stricter than RFC 3986: names of letters, digits, `-`, `_` and `.`
 * (at most 253 characters), IPv4 and bracketed IPv6 addresses; no user information, no zone.
 *
 * @returns `undefined` when the text is anything else, or the port is not from 1 to 65535.
 */
export function parseAuthority(text: string): Authority | undefined {
  const parts = /^(\[[^\]]*\]|[^:[\]]*)(?::([0-9]{1,5})?)?$/.exec(text.toLowerCase());
  if (!parts) return undefined;
  const [, host, digits] = parts;
  if (host.length > 253 || host.includes("..")) return undefined;
  if (!registeredName.test(host) && !isAddressLiteral(host)) return undefined;
  const port = digits === undefined ? undefined : Number(digits);
  return port === 0 || (port !== undefined && port > 65_535) ? undefined : { host, port };
}

function isAddressLiteral(host: string): boolean {
  return addressLiteral.test(host) && URL.canParse(`http://${host}/`);
}

/** Whether two authorities name the same place for a scheme with this default port. */
export function sameAuthority(a: Authority, b: Authority, defaultPort: number): boolean {
  return a.host === b.host && (a.port ?? defaultPort) === (b.port ?? defaultPort);
}
