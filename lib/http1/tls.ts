/**
 * Listening for TLS (RFC 8446) that carries HTTP/1.1 and nothing else.
 *
 * @module
 */

/** A certificate and what proves that it is ours. */
export interface TlsMaterial {
  /** Our certificate and the chain above it, PEM. */
  readonly cert: string;
  /** The private key of our certificate, PEM (PKCS #8, SEC 1 or PKCS #1). */
  readonly key: string;
}

/** A certificate and key that cannot serve; the message says why. */
export class BadCertificate extends Error {
  override name = "BadCertificate";
}

/**
 * Opens a listener whose connections have still to shake hands. By ALPN (RFC 7301) it takes
 * `http/1.1` and clients that offer nothing; who offers only other protocols is refused.
 *
 * @throws {BadCertificate} When certificate or key cannot be read, or do not belong together.
 * @throws {Error} When the address cannot be had.
 */
export function listenTls(
  { tls: { cert, key }, ...address }: {
    hostname: string;
    port: number;
    reusePort?: boolean;
    tls: TlsMaterial;
  },
): Deno.Listener {
  try {
    return Deno.listenTls({ ...address, cert, key, alpnProtocols: ["http/1.1"] });
  } catch (error) {
    if (!(error instanceof Error) || isAboutAddress(error)) throw error;
    throw new BadCertificate(
      `need a certificate and its own private key, both PEM: received ${error.message}`,
    );
  }
}

/** Errors of the system carry a code; those of reading PEM and of comparing keys do not. */
function isAboutAddress(error: Error): boolean {
  return "code" in error || error instanceof Deno.errors.NotCapable;
}
