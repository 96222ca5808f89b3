/**
 * A certificate for tests: one that signs itself, for `localhost` and 127.0.0.1.
 *
 * @module
 */

import type { TlsMaterial } from "./tls.ts";

/** Makes a certificate with openssl; `undefined` on a machine without it. */
export async function testCertificate(): Promise<TlsMaterial | undefined> {
  const args = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"];
  args.push("-nodes", "-keyout", "-", "-days", "1", "-subj", "/CN=downlink-test");
  args.push("-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1");
  args.push("-addext", "basicConstraints=critical,CA:FALSE");
  const made = await new Deno.Command("openssl", { args }).output().catch(() => undefined);
  if (!made?.success) return undefined;
  const pem = new TextDecoder().decode(made.stdout);
  const start = pem.indexOf("-----BEGIN CERTIFICATE-----");
  return { key: pem.slice(0, start), cert: pem.slice(start) };
}
