/**
 * The certificate of a program that serves HTTPS.
 *
 * @module
 */

import { BadValue, optional, path } from "#config";
import type { TlsMaterial } from "#http1";

/** Returns the rows of a program that can serve HTTPS. */
export function tlsParameters() {
  return {
    tlsCert: optional(
      path(undefined, "PEM certificate chain: serves HTTPS; read once, at the start.", "FILE"),
    ),
    tlsKey: optional(path(undefined, "PEM private key of --tls-cert.", "FILE")),
  };
}

/**
 * Reads certificate and key; `undefined` when neither is named.
 *
 * @throws {BadValue} When one is named without the other, or a file cannot be read.
 */
export function readTls(
  { tlsCert, tlsKey }: { tlsCert: string | undefined; tlsKey: string | undefined },
): TlsMaterial | undefined {
  if (tlsCert === undefined && tlsKey === undefined) return undefined;
  if (tlsKey === undefined) {
    throw new BadValue(`Cannot use --tls-cert: need --tls-key with it: received ${tlsCert} alone`);
  }
  if (tlsCert === undefined) {
    throw new BadValue(`Cannot use --tls-key: need --tls-cert with it: received ${tlsKey} alone`);
  }
  return { cert: readPem("--tls-cert", tlsCert), key: readPem("--tls-key", tlsKey) };
}

/**
 * Reads a file with PEM blocks.
 *
 * @throws {BadValue} When it cannot be read or holds none.
 */
export function readPem(flag: string, file: string): string {
  let text: string;
  try {
    text = Deno.readTextFileSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new BadValue(`Cannot use ${flag}: need a readable PEM file: received ${reason}`);
  }
  if (!text.includes("-----BEGIN ")) {
    throw new BadValue(`Cannot use ${flag}: need a PEM file: received no PEM block in ${file}`);
  }
  return text;
}
